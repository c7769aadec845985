"""What a file of a front end is called, served as, and whether it may be published at all."""
