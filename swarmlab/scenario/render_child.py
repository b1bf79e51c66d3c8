"""Renders one template in a process of its own, which can be bounded: a template can ask for any memory and time.

Run as a script with a JSON object {"text", "values"} on standard input; it answers with one on standard output:
{"text", "lines", "names"}, or {"error", "line"}. It imports nothing of swarmlab, so that it starts fast.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Iterator, Mapping
from types import TracebackType

import jinja2
from jinja2 import meta, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.sandbox import ImmutableSandboxedEnvironment

# The same as in swarmlab.scenario.text and names (a unit test compares them).
OPEN, CLOSE = "\ue000", "\ue001"
LINE_OPEN, LINE_CLOSE = "\ue002", "\ue003"
MAX_BYTES = 1024 * 1024
MEMORY = 512 * 1024 * 1024  # bytes of address space
SECONDS = 3  # of processor time

LINE_SIGN = re.compile(f"{LINE_OPEN}([0-9]+){LINE_CLOSE}")
ALONE = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
# What an expression of a template can raise; each is the template's fault.
FAULTS = (
    jinja2.TemplateError, TypeError, ValueError, ArithmeticError,
    LookupError, AttributeError, RuntimeError, MemoryError,
)  # fmt: skip


class TooLong(jinja2.TemplateError):
    """The output passes the limit."""


class LineSigns(Extension):
    """Begins each line of literal text with a sign that has its number: complaints can name the template's line."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The tokens, with a sign at the start of each line."""
        for token in stream:
            if token.type != "data" or "\n" not in token.value:
                yield token
                continue
            first, *rest = token.value.split("\n")
            signed = [f"{LINE_OPEN}{token.lineno + n}{LINE_CLOSE}{line}" for n, line in enumerate(rest, 1)]
            yield Token(token.lineno, token.type, "\n".join([first, *signed]))


def wrap(value: object) -> object:
    """What an expression yields, between signs by which the reader sees if it breaks out of its YAML scalar.

    A `$` in it stays a plain dollar sign.
    """
    if isinstance(value, jinja2.Undefined):
        return value
    text = str(value)
    if re.search(f"[{OPEN}-{LINE_CLOSE}]", text):
        # A macro's or set block's own text has signs already; as a value it is one scalar like any other.
        text = re.sub(f"[{OPEN}{CLOSE}]|{LINE_SIGN.pattern}", "", text)
        return f"{OPEN}{text}{CLOSE}"
    return f"{OPEN}{text.replace('$', '$$')}{CLOSE}"


def environment() -> ImmutableSandboxedEnvironment:
    """Jinja2 without loader, globals that reach out, or silent undefined values."""
    return ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        finalize=wrap,
        extensions=[LineSigns],
        keep_trailing_newline=True,
        autoescape=False,
    )


def render(text: str, values: Mapping[str, str]) -> dict[str, object]:
    """The rendered text, the template's line for each of its lines, and the variables that the template uses."""
    env = environment()
    try:
        tree = env.parse(text)
        alone = next((node for kind in ALONE for node in tree.find_all(kind)), None)
        if alone is not None:
            word = type(alone).__name__.lower().replace("fromimport", "import")
            return {
                "error": f"forbidden in a scenario's template: {word} (one file stands alone)",
                "line": alone.lineno,
            }
        names = sorted(meta.find_undeclared_variables(tree))
        rows = bounded(env.from_string(text), values)
    except FAULTS as error:
        return {"error": worded(error, values), "line": line_of(error)}
    texts, lines = unsigned(rows)
    return {"text": texts, "lines": lines, "names": names}


def bounded(template: jinja2.Template, values: Mapping[str, str]) -> str:
    """The whole output; TooLong as soon as it passes the limit."""
    chunks: list[str] = []
    length = 0
    for chunk in template.generate(**values):
        length += len(LINE_SIGN.sub("", chunk))
        if length > MAX_BYTES:
            raise TooLong(f"the template yields more than {MAX_BYTES} characters")
        chunks.append(chunk)
    return "".join(chunks)


def unsigned(rendered: str) -> tuple[str, list[int]]:
    """Text without line signs, and the line numbers that they gave; a line without one came from the line above it."""
    rows: list[str] = []
    lines: list[int] = []
    last = 1
    for row in rendered.split("\n"):
        sign = LINE_SIGN.search(row)
        last = int(sign.group(1)) if sign else last
        rows.append(LINE_SIGN.sub("", row))
        lines.append(last)
    return "\n".join(rows), lines


def worded(error: BaseException, values: Mapping[str, str]) -> str:
    """What a complaint says of this error."""
    text = " ".join(str(error).split())[:300]
    if isinstance(error, jinja2.exceptions.SecurityError):
        return f"forbidden template expression: {text}"
    if isinstance(error, jinja2.UndefinedError):
        known = ", ".join(sorted(values)) or "none; declare it under `vars:` of `x-swarmlab`"
        return f"template: {text} (variables: {known})"
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"template syntax error: {text}"
    if isinstance(error, TooLong):
        return text
    if isinstance(error, MemoryError):
        return "the template asks for too much memory"
    return f"template: {text or type(error).__name__}"


def line_of(error: BaseException) -> int:
    """The template's line where it happened, 0 if it is not known."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.lineno
    line = 0
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in ("<template>", "<unknown>"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def main() -> None:
    """Read the request, bound this process, answer."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    request = json.load(sys.stdin)
    json.dump(render(request["text"], request["values"]), sys.stdout)


if __name__ == "__main__":
    main()
