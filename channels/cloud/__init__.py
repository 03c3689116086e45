"""What cloud providers of short messages share: templates that were approved beforehand, and the meaning of codes."""
