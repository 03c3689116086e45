"""The dialect of China's national warning platform (国家预警发布系统, 12379): CAP's words in a grammar of its own.

`read(data)` gives an `Alert` or an `InputError`. Verified against a message rebuilt from public code that emits it;
no captured message was at hand.
"""

from adapters.cn12379.read import read

__all__ = ["read"]
