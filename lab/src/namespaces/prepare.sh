#!/bin/sh
# The first process of a lab. It runs in mount, network and process namespaces of its own, prepares them, and then becomes
# the program that only waits: when that one ends, the kernel ends every process, mount and network device of the lab.
# Usage: prepare.sh STATE NODE_ADDRESS PAUSE
set -eu
state=$1 node=$2 pause=$3

# Some programs write to fixed folders: containerd to /run/containerd, CNI to /var/lib/cni, kubelet to /var/lib/kubelet and
# /var/log/containers. Here those are folders of the lab's own. What else lies in /run and /var/lib stays in view.
mount -t tmpfs -o mode=755 lab "$state/host"
mkdir "$state/host/run" "$state/host/lib"
mount --rbind /run "$state/host/run"
mount --rbind /var/lib "$state/host/lib"
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/lab-host /run/lab /run/netns
mount --move "$state/host" /run/lab-host
mount -t tmpfs -o mode=755 lab /var/lib
mount -t tmpfs -o mode=755 lab /var/log
show() { # FOLDER COPY NAMES: links to everything in COPY but the names, and but what is there already
  for path in "$2"/*; do
    name=${path##*/}
    case " $3 " in *" $name "*) continue ;; esac
    [ -e "$1/$name" ] || [ ! -e "$path" ] || ln -s "$path" "$1/$name"
  done
}
show /run /run/lab-host/run "mount netns containerd runc buildkit xtables.lock"
show /var/lib /run/lab-host/lib "cni kubelet containerd kube-proxy"
mount --bind "$state" /run/lab

# kubelet sets these for the whole machine. Here it writes to copies.
mkdir /run/settings
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
  kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  copy=/run/settings/$(basename "$setting")
  cat "/proc/sys/$setting" > "$copy"
  mount --bind "$copy" "/proc/sys/$setting"
done
mount --make-rshared /

ip link set lo up
ip address add "$node/32" dev lo
echo 1 > /proc/sys/net/ipv4/ip_forward

exec "$pause"
