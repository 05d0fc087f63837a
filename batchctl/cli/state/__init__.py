"""`batchctl state`: look into the state, mend it, move it. One small file per subcommand."""
