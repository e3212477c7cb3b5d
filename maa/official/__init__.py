"""The authors' published weights: their names, their files, and the way from both to ours."""
