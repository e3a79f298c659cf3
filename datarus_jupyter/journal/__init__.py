"""The journal of a run: its events, the log on disk, and the folds that turn it into what people and models see."""
