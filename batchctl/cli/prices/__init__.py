"""The commands below `batchctl prices`."""
