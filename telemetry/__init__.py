"""What numbers are: the nouns, the arithmetic and the disk format."""
