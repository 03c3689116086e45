"""The documents that `xml.py` reads as lxml trees: for cutting a message out of what it came in, and for signatures.

Only for what `xml.parse` has let in: size, depth and number of elements are bounded there, and there is no DTD.
"""

from __future__ import annotations

import re

from lxml import etree

from broadcaster.errors import InputError
from broadcaster.xml import encoding_of

_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")


def grown(document: bytes) -> etree._Element:
    """The root element; `InputError` for what is not well-formed after all."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        text = document.decode(encoding_of(document))
        return etree.fromstring(_DECLARATION.sub("", text, count=1).encode("utf-8"), parser)
    except (etree.XMLSyntaxError, UnicodeError, LookupError, ValueError) as problem:
        raise InputError("xml：不是格式正确的 XML。") from problem


def cut_out(element: etree._Element) -> bytes:
    """The element as a document of its own, with the namespaces that were declared around it."""
    return bytes(etree.tostring(element, encoding="UTF-8", xml_declaration=True, with_tail=False))
