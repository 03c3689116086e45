"""The demo: the whole main job on an invented district, with a rehearsal playing carriers and people."""
