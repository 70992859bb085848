"""XML that comes from outside: no entities, no document types, no endless files."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from hospital_ops.ecg.files.recording import EcgFileError, check_size

MOST_XML_BYTES: Final = 8 * 1024 * 1024  # a tree takes some ten times its text


def parse(data: bytes) -> Element:
    """The root element. Errors: `EcgFileError` with `hostile`, `damaged` or `too_large`."""
    check_size(data, MOST_XML_BYTES)
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as problem:
        raise EcgFileError(
            "hostile", "the XML declares entities or a document type: no recorder does"
        ) from problem
    except (ParseError, ValueError, LookupError, RecursionError) as problem:
        raise EcgFileError(
            "damaged", "the XML is cut or broken: export the file again"
        ) from problem
    return root


def bare(element: Element) -> str:
    """The tag without its namespace."""
    return str(element.tag).rsplit("}", 1)[-1]


def child(element: Element | None, *path: str) -> Element | None:
    """The first descendant along the path of tags; None where a step is not there."""
    for tag in path:
        if element is None:
            return None
        element = next((part for part in element if bare(part) == tag), None)
    return element


def every(element: Element, tag: str) -> list[Element]:
    """All descendants with this tag, in the order of the file."""
    return [part for part in element.iter() if bare(part) == tag]


def text(element: Element | None) -> str:
    """The text of an element, trimmed; empty where there is none."""
    return (element.text or "").strip() if element is not None else ""


def attribute(element: Element | None, name: str) -> str:
    """The attribute, trimmed; empty where there is none."""
    return element.get(name, "").strip() if element is not None else ""
