"""WeChat: template fields and the drivers that push them."""
