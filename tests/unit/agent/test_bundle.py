"""The archive is the same for the same source, whole, and readable by the oldest Python that we promise."""

from __future__ import annotations

import ast
import io
import sys
import zipfile

from swarmlab.probes.session.bundle import _members, agent_archive, bootstrap

STANDARD = set(sys.stdlib_module_names)


def test_the_same_source_makes_the_same_bytes() -> None:
    first = agent_archive()
    agent_archive.cache_clear()
    assert agent_archive() == first
    assert len(first) < 256 * 1024


def test_it_holds_what_it_needs_and_nothing_of_this_machine() -> None:
    with zipfile.ZipFile(io.BytesIO(agent_archive())) as archive:
        names = archive.namelist()
        assert {
            "__main__.py",
            "swarmlab/__init__.py",
            "swarmlab/agent/__init__.py",
            "swarmlab/agent/protocol/codec.py",
        } <= set(names)
        assert all(name.endswith(".py") and not name.startswith("/") for name in names)
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def test_it_needs_the_standard_library_and_itself_only() -> None:
    for name, source in _members().items():
        for node in ast.walk(ast.parse(source)):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                assert module.split(".")[0] in STANDARD or module.startswith("swarmlab.agent"), (name, module)


def test_python_3_9_can_read_it() -> None:
    for name, source in _members().items():
        ast.parse(source, name, feature_version=(3, 9))


def test_the_command_names_the_size_and_ignores_the_hosts_environment() -> None:
    argv = bootstrap(4711)
    assert argv[0] == "python3" and argv[-1] == "4711" and "-I" in argv
    compile(argv[argv.index("-c") + 1], "bootstrap", "exec")
