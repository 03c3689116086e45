"""The bench: the whole path of a large alert, measured from outside, with a simulated carrier as the other side."""
