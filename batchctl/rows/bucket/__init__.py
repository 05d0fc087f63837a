"""Results in a bucket: the files of the results folder as objects, and for each job an index that says which count."""
