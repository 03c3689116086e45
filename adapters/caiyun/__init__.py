"""Caiyun (彩云天气): warnings of a place, asked for or pushed."""
