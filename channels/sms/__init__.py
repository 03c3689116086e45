"""SMS: segmentation rules and the drivers that submit short messages."""
