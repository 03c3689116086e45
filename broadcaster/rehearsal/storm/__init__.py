"""The weather and the water of the virtual district: a storm that passes over it, and what it does to its rivers."""
