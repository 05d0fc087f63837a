"""`batchctl state`: show, repair and move the state. One small file per subcommand."""
