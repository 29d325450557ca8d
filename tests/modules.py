"""The modules of the package in the order of their imports: ``python -m tests.modules``."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent


def modules() -> dict[str, Path]:
    """Return the file of each module, ``sweep.audio.clips``; a package is its ``__init__``."""
    files = sorted((ROOT / "sweep").rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files, strict=True)}


def imports(file: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules of the package that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in within)


def importers(library: str) -> set[str]:
    """Return the parts of the package in which a library is imported."""
    found = set()
    for name, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            else:
                imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if library in {module.partition(".")[0] for module in imported}:
                found.add(part(name))
    return found


def graph() -> dict[str, set[str]]:
    """Return what each module imports; a package does not count as importing from itself."""
    known = modules()
    return {name: set(imports(file, known)) - {name, "sweep"} for name, file in known.items()}


def part(name: str) -> str:
    """Return the module or folder right below ``sweep`` that a module belongs to."""
    return ".".join(name.split(".")[:2])


def graph_of_parts() -> dict[str, set[str]]:
    """Return what each part of the package imports of the other parts."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, imported in graph().items():
        found[part(name)] |= {part(other) for other in imported} - {part(name)}
    return found


def meaning(file: Path) -> str:
    """Return the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def main() -> None:
    """Print a line for each part; what it imports comes before it."""
    known = modules()
    for name in TopologicalSorter(graph_of_parts()).static_order():
        path = name.replace(".", "/") + ("/" if known[name].name == "__init__.py" else ".py")
        print(f"{path:<24}{meaning(known[name])}")


if __name__ == "__main__":
    main()
