"""Which parameters cannot stand together: what a candidate needs, and what a file requires."""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sweep.candidate import DOMAINS, Candidate
from sweep.errors import nearest
from sweep.networks.layer import TooSmall
from sweep.parameters import Domain
from sweep.registry import blaming


@dataclass(frozen=True)
class BrokenRule:
    """A rule that a candidate breaks, and the parameter to change first."""

    parameter: str
    message: str


def broken_rule(candidate: Candidate) -> BrokenRule | None:
    """Return the first rule of signal or network that a candidate breaks, or None.

    These hold whatever a search space requires: without them there is nothing to compute.
    """
    return next(_broken_rules(candidate), None)


def _broken_rules(candidate: Candidate) -> Iterator[BrokenRule]:
    f = candidate.frontend
    with blaming(f.owner):
        for name, text in f.problems():
            yield BrokenRule(name, text)
        shape = f.shape
    if candidate.augmentation.time_shift_ms >= 1000 * f.clip_length_in_s:
        text = f"{candidate.augmentation.time_shift_ms:g} ms is not below the length of a clip"
        yield BrokenRule("time_shift_ms", f"{text} ({f.clip_length_in_s:g} s)")
    if candidate.network.values().get("streaming") and not f.is_by_frame:
        text = "a stream needs features that depend on one frame alone; those of this front end"
        yield BrokenRule("streaming", f"{text} ({candidate.chosen('frontend')}) do not")
    try:
        candidate.network.architecture(shape, labels=2)
    except TooSmall as error:
        name = f.enlarges[error.axis]
        given = candidate.parameters()[name]
        there = f"{max(shape[error.axis == 'coefficients'], 0)} {error.axis}"
        text = f"{given} leaves {there} of a clip of {f.clip_length_in_s:g} s; {error}"
        yield BrokenRule(name, text)
    except ValueError as error:
        yield BrokenRule("network", str(error))


_COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.LtE: operator.le,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def requirement(
    text: str, domains: Mapping[str, Domain] = DOMAINS
) -> Callable[[Mapping[str, Any]], bool]:
    """Turn ``"num_coefficients <= num_mel_bins"`` into a function of parameter values.

    Comparisons, ``+ - * /``, ``and``, ``or``, ``not``, numbers, quoted words and parameter names
    are understood; nothing of it is ever executed as Python.

    Args:
        text: the requirement.
        domains: the parameters it may name.

    Raises:
        ValueError: if the text is anything else, or names no parameter, or a word that its
            parameter cannot be.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        unknown = sorted(names - set(domains))
        if unknown:
            hint = nearest(unknown[0], domains)
            raise ValueError(f"{text!r} names {unknown[0]!r}, which is no parameter{hint}")
        if not names:
            raise ValueError(f"{text!r} names no parameter")
        if "quantization" in names:
            raise ValueError(
                f"{text!r}: every quantization is made of each training, none is chosen"
            )
        return _condition(tree, text, domains)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text!r} is not a comparison of parameters") from error


def _condition(
    node: ast.expr, text: str, domains: Mapping[str, Domain]
) -> Callable[[Mapping[str, Any]], bool]:
    """Return what computes a comparison, or several of them together."""
    if isinstance(node, ast.Name) and domains[node.id].kind is bool:
        name = node.id
        return lambda values: bool(values[name])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _condition(node.operand, text, domains)
        return lambda values: not inner(values)
    if isinstance(node, ast.BoolOp):
        parts = [_condition(value, text, domains) for value in node.values]
        gather = all if isinstance(node.op, ast.And) else any
        return lambda values: gather(part(values) for part in parts)
    if isinstance(node, ast.Compare) and all(type(op) in _COMPARISONS for op in node.ops):
        operands = [node.left, *node.comparators]
        for left, right in zip(operands, operands[1:], strict=False):
            _check_words(left, right, text, domains)
            _check_words(right, left, text, domains)
        sides = [_value(side, text) for side in operands]
        compares = [_COMPARISONS[type(op)] for op in node.ops]
        return lambda values: all(
            compare(sides[i](values), sides[i + 1](values)) for i, compare in enumerate(compares)
        )
    raise ValueError(f"{text!r} is not a comparison of parameters")


def _value(node: ast.expr, text: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return what computes one side of a comparison."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str)):
        value = node.value
        return lambda values: value
    if isinstance(node, ast.Name):
        name = node.id
        return lambda values: values[name]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _value(node.operand, text)
        return lambda values: -inner(values)
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = _value(node.left, text), _value(node.right, text)
        compute = _ARITHMETIC[type(node.op)]
        return lambda values: compute(left(values), right(values))
    raise ValueError(f"{text!r} is not a comparison of parameters")


def _check_words(side: ast.expr, other: ast.expr, text: str, domains: Mapping[str, Domain]) -> None:
    """Refuse to compare a parameter with a word that it cannot be."""
    if isinstance(side, ast.Name) and isinstance(other, ast.Constant):
        problem = domains[side.id].problem(other.value) if isinstance(other.value, str) else None
        if problem is not None:
            raise ValueError(f"{text!r}: {side.id}: {problem}")
