"""The child process that takes out of a PDF on its standard input what can act on a reader's machine.

It answers on its standard output with a line of JSON, {"refused": why} or {"removed": [kinds], "repaired": bool},
followed by the PDF if it has been changed. It runs without Django, under limits on CPU time and memory. It reads the
objects that a viewer reaches, by their place in the document (ISO 32000-2), and inflates only streams of objects.
"""

import io
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pikepdf

from registrations.runtime.process_limits import limit_cpu, limit_memory

CPU_SECONDS = 8
MEMORY_BYTES = 500_000_000
AUTOMATIC = {"/GoTo", "/GoToDp", "/Hide", "/Named", "/SetOCGState", "/Thread", "/Trans"}  # when a page opens
CLICKED = AUTOMATIC | {"/ResetForm", "/URI"}
PAGE_TURNS = {"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"}
SCHEMES = {"", "http", "https", "mailto", "tel"}  # none: « www.example.org »
MEDIA_ACTIONS = {"/GoTo3DView", "/Movie", "/Rendition", "/RichMediaExecute", "/Sound"}
MEDIA_ANNOTATIONS = {"/3D", "/Movie", "/RichMedia", "/Screen", "/Sound"}
MEDIA_KEYS = ["/3DA", "/3DD", "/3DV", "/Movie", "/RichMediaContent", "/RichMediaSettings", "/Sound"]
FILE_KEYS = ["/F", "/UF", "/DOS", "/Mac", "/Unix"]
CONTAINERS = (pikepdf.Dictionary, pikepdf.Stream, pikepdf.Array)
ACTION_KEYS = ["/A", "/NA", "/Next", "/PA"]
CHECKED = {*ACTION_KEYS, "/AA", "/Annots", "/ByteRange", "/EF", "/F", "/OpenAction", "/Ref", "/Subtype"}
SOURCES = (".bib", ".cls", ".css", ".csv", ".ltx", ".mathml", ".mml", ".sty", ".tex", ".txt", ".xml")
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
EMPTY_PAGE = "Resources is missing or invalid; repairing"  # the one fault that viewers cannot read in two ways


class Cleaner:
    """Walks through a document and notes the kinds of what it takes out."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self.root: Any = pdf.Root
        self.removed: set[str] = set()
        self.is_signed = False

    def run(self) -> None:
        self.clean_catalog()
        for found in reachable(self.root):
            if CHECKED.isdisjoint(found.keys()):  # most objects of a long document
                continue
            self.clean_actions(found)
            self.clean_annotations(found)
            self.clean_files(found)
            self.is_signed |= "/ByteRange" in found and "/Contents" in found
        if "attachment" in self.removed:  # the lists of attachments would lead nowhere
            self.remove(self.root.get("/Names"), "/EmbeddedFiles", "attachment")
            self.remove(self.root, "/Collection", "attachment")

    def remove(self, holder: Any, key: str, kind: str) -> None:
        if is_dictionary(holder) and key in holder:
            del holder[key]
            self.removed.add(kind)

    def clean_catalog(self) -> None:
        names = self.root.get("/Names")
        self.remove(names, "/JavaScript", "script")
        self.remove(names, "/Renditions", "media")
        self.remove(names, "/AlternatePresentations", "media")
        self.remove(self.root.get("/AcroForm"), "/XFA", "form")
        base = self.root.get("/URI")
        if is_dictionary(base) and not is_link(base.get("/Base", "")):
            self.remove(self.root, "/URI", "link")

    def clean_actions(self, holder: Any) -> None:
        for key in ACTION_KEYS:  # one action, or a list
            actions = holder.get(key)
            self.remove_harmful(holder, key, actions if is_array(actions) else [actions], CLICKED)
        self.remove_harmful(holder, "/OpenAction", [holder.get("/OpenAction")], AUTOMATIC)
        by_trigger = holder.get("/AA")
        if is_dictionary(by_trigger):
            self.remove_harmful(holder, "/AA", by_trigger.values(), AUTOMATIC)

    def remove_harmful(self, holder: Any, key: str, actions: Iterable[Any], harmless: set[str]) -> None:
        kinds = {harm_of(action, harmless) for action in actions} - {""}
        if kinds:
            del holder[key]
            self.removed |= kinds

    def clean_annotations(self, holder: Any) -> None:
        annotations = holder.get("/Annots")
        if is_array(annotations):
            for index in reversed(range(len(annotations))):
                if is_dictionary(annotations[index]) and annotations[index].get("/Subtype") == "/FileAttachment":
                    del annotations[index]
                    self.removed.add("attachment")
        if text_of(holder.get("/Subtype")) in MEDIA_ANNOTATIONS:  # its picture stays
            for key in MEDIA_KEYS:
                self.remove(holder, key, "media")

    def clean_files(self, holder: Any) -> None:
        """Embedded files, with or without a /Type; streams and forms whose content is in another file."""
        embedded = holder.get("/EF")
        holds_files = is_dictionary(embedded) and any(is_stream(embedded.get(key)) for key in FILE_KEYS)
        if holds_files and not is_source(holder):
            self.remove(holder, "/EF", "attachment")
            self.remove(holder, "/RF", "attachment")
        if is_stream(holder):
            self.remove(holder, "/F", "action")
            if holder.get("/Subtype") == "/Form":
                self.remove(holder, "/Ref", "action")


def reachable(root: Any) -> Iterator[Any]:
    """Each dictionary and stream once. What is taken out of one before the next is asked for is not followed."""
    waiting, seen = [root], set()
    while waiting:
        found = waiting.pop()
        if not isinstance(found, CONTAINERS) or (found.is_indirect and found.objgen in seen):
            continue
        seen.add(found.objgen)  # (0, 0) for all that are not indirect
        if is_array(found):
            waiting.extend(found)
        else:
            yield found
            waiting.extend(found.values())


def harm_of(action: Any, harmless: set[str]) -> str:
    """The kind of what it can do; empty when it may stay, or is no action."""
    if not is_dictionary(action) or "/S" not in action:
        return ""
    name = text_of(action.S)
    if name == "/JavaScript" or "/JS" in action:
        return "script"
    if name in MEDIA_ACTIONS:
        return "media"
    if name == "/URI":
        return "" if name in harmless and is_link(action.get("/URI", "")) else "link"
    elsewhere = name == "/Thread" and "/F" in action
    menu = name == "/Named" and text_of(action.get("/N")) not in PAGE_TURNS
    return "action" if elsewhere or menu or name not in harmless else ""


def is_link(address: Any) -> bool:
    """Whether it leads to a web page, a mail address or a telephone, and not to a file or a share of a network."""
    text = "".join(character for character in text_of(address) if character > " ").replace("\\", "/")
    try:
        return UNREADABLE not in text and not text.startswith("//") and urlsplit(text).scheme in SCHEMES
    except ValueError:
        return True  # no address at all: it leads nowhere


def text_of(value: Any) -> str:
    """A name or a string as text; names may hold any byte."""
    try:
        return str(value)
    except UnicodeDecodeError:
        return UNREADABLE


def is_source(specification: Any) -> bool:
    """Whether it is an associated file such as LaTeX's: a text, which no program runs when it is opened."""
    names = [text_of(specification[key]).lower() for key in FILE_KEYS if key in specification]
    return bool(names) and "/AFRelationship" in specification and all(name.endswith(SOURCES) for name in names)


def is_dictionary(value: Any) -> bool:
    """A stream has one too."""
    return isinstance(value, (pikepdf.Dictionary, pikepdf.Stream))


def is_stream(value: Any) -> bool:
    return isinstance(value, pikepdf.Stream)


def is_array(value: Any) -> bool:
    return isinstance(value, pikepdf.Array)


def cleaned(content: bytes) -> tuple[dict[str, Any], bytes]:
    """A file with faults is written anew: viewers may read them in another way, as a key that stands twice."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        if not len(pdf.pages):
            return {"refused": "damaged"}, b""
        if pdf.Root.get("/NeedsRendering", False):
            return {"refused": "form"}, b""
        cleaner = Cleaner(pdf)
        cleaner.run()
        repaired = any(not warning.endswith(EMPTY_PAGE) for warning in pdf.get_warnings())
        is_cut_off = repaired and content.rfind(b"%%EOF") < content.rfind(b"endobj")
        if is_cut_off or (repaired and cleaner.is_signed):
            return {"refused": "damaged"}, b""
        if cleaner.removed and cleaner.is_signed:
            return {"refused": "signed"}, b""
        is_changed = repaired or cleaner.removed
        return {"removed": sorted(cleaner.removed), "repaired": repaired}, written(pdf) if is_changed else b""


def written(pdf: pikepdf.Pdf) -> bytes:
    """Restrictions on printing stay."""
    target = io.BytesIO()
    pdf.save(target, encryption=pdf.is_encrypted)
    return target.getvalue()


def main() -> None:
    limit_memory(MEMORY_BYTES)
    limit_cpu(CPU_SECONDS)
    try:
        answer, content = cleaned(sys.stdin.buffer.read())
    except pikepdf.PasswordError:
        answer, content = {"refused": "password"}, b""
    except MemoryError:
        answer, content = {"refused": "too_heavy"}, b""
    except (pikepdf.PdfError, pikepdf.QpdfRuntimeError) as error:
        answer, content = {"refused": "password" if "encrypt" in str(error) else "damaged"}, b""
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + content)


if __name__ == "__main__":
    main()
