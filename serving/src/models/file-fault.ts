/** Why a file or folder cannot be had, in words that follow its path. */
export function fileFault(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return "it does not exist";
    case "ENOTDIR":
      return "it is not a folder";
    case "EISDIR":
      return "it is a folder";
    case "EACCES":
      return "permission denied";
    case "ELOOP":
      return "its links lead in a circle";
    default:
      return error.message;
  }
}
