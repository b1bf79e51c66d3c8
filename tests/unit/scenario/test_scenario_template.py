"""Templates: values in, never structure; forbidden things refused; places of the template, not of its output."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from swarmlab.errors import FileRejected
from swarmlab.model.scenario import Scenario
from swarmlab.scenario import names, render_child, text
from swarmlab.scenario.complaints import Complaints
from swarmlab.scenario.text import Source
from swarmlab.scenario.tree import value
from swarmlab.scenario.yamltext import parse

Read = Callable[..., Scenario]
SHOP = """
services:
{% for n in range(count | int) %}
  api{{ n }}: {image: "shop/api:{{ tag }}", deploy: {replicas: {{ count }}}}
{% endfor %}
x-swarmlab:
  # a comment
  vars:
    tag: 1.10
    count: 2  # how many
  hosts: {{ count }}
"""


def test_defaults_and_settings(read_yaml: Read) -> None:
    scenario = read_yaml(SHOP, {"count": "3"}, name="shop.yaml.j2")
    assert {s.image for s in scenario.services.values()} == {"shop/api:1.10"}
    assert (list(scenario.services), scenario.hosts) == (["api0", "api1", "api2"], 3)
    assert scenario.services["api0"].replicas == 3


@pytest.mark.parametrize("tag", ['1", privileged: true, x: "', '1"}, evil: {image: "x', '1" #'])
def test_a_value_cannot_become_structure(read_yaml: Read, tag: str) -> None:
    with pytest.raises(FileRejected):
        read_yaml(SHOP, {"tag": tag}, name="shop.yaml.j2")


PLACES = [
    "services: {a: {image: %s}}", 'services: {a: {image: "%s"}}', "services: {a: {image: '%s'}}",
    "services:\n  a:\n    image: %s",
    "services:\n  a:\n    labels:\n      - %s\n      - x", "services:\n  a:\n    labels: [%s, x]",
    "services: {a: {image: |\n   %s\n}}",
    "services:\n  a:\n    command: |\n      %s\n    image: x", "services:\n  a: {image: x} # %s\n  b: {image: x}",
    "services: { %s: {image: x}}",
]  # fmt: skip


def shape(node: object) -> object:
    """The structure, with each scalar as a dot."""
    if isinstance(node, dict):
        return [(shape(key), shape(child)) for key, child in node.items()]
    return [shape(child) for child in node] if isinstance(node, list) else "."


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(PLACES), st.text(st.sampled_from("ab \"':,{}[]#&*!|>-?%@`\\\t\n\r\x85\u2028$~<=0"), max_size=12))
@example("services: { %s: {image: x}}", "<<")
def test_no_value_changes_the_structure(place: str, given_value: str) -> None:
    """Even values that --set would not let through: an expression of the template can yield them."""
    try:
        answer = render_child.render(place.replace("%s", "{{ v }}"), {"v": given_value})
        tree = parse(Source("x", str(answer["text"])), complaints := Complaints("x"))
        complaints.check()
    except FileRejected:
        return
    harmless = yaml.safe_load(place.replace("%s", "v"))
    assert shape(value(tree)) == shape(harmless)


def test_a_dollar_sign_in_a_value_stays_one(read_yaml: Read) -> None:
    scenario = read_yaml(
        "services: {a: {image: x, labels: {price: '{{ price }}'}}}\n", {"price": "5$ ${TAG}"}, name="a.yaml.j2"
    )
    assert yaml.safe_load(scenario.compose)["services"]["a"]["labels"]["price"] == "5$$ $${TAG}"


@pytest.mark.parametrize(
    "expression",
    [
        "{{ ''.__class__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ ''|attr('__class__') }}",
        "{{ '%s'.__mod__ }}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{{ lipsum.__globals__ }}",
        "{{ '{0.__class__}'.format(1) }}",
    ],
)
def test_forbidden_expressions(read_yaml: Read, expression: str) -> None:
    with pytest.raises(FileRejected, match=r"t\.yaml\.j2:2:1: .*(forbidden|undefined)"):
        read_yaml(
            f"services:\n  a: {{image: '{expression}'}}\n".replace("'{%", "{%").replace("%}'", "%}"), name="t.yaml.j2"
        )


def test_a_template_that_only_burns_time_is_stopped(read_yaml: Read) -> None:
    loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(FileRejected, match="does not end"):
        read_yaml(loops + "services: {}", name="t.yaml.j2")


def test_the_child_agrees_about_signs_and_limits() -> None:
    signs = (text.OPEN, text.CLOSE, text.LINE_OPEN, text.LINE_CLOSE, names.MAX_BYTES)
    assert signs == (
        render_child.OPEN,
        render_child.CLOSE,
        render_child.LINE_OPEN,
        render_child.LINE_CLOSE,
        render_child.MAX_BYTES,
    )
