"""The archive of curves: pieces packed into blocks, read by range and by column."""
