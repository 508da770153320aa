module mlops-actions/lab/go/pause

go 1.24.0
