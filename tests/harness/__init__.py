"""What integration, crash and load tests share: daohu as real processes, and waiting without sleeping blindly."""
