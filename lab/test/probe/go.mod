module mlops-actions/lab/test/probe

go 1.24.0
