"""Speech on this machine: text becomes the file that a loudspeaker plays or a call says."""
