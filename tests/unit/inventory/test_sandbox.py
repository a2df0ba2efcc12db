"""Templates are bounded in size and time, whichever way they try to grow; ordinary ones come to what Jinja2 says."""

from __future__ import annotations

import time

import pytest
from jinja2 import TemplateError

from pfremote.inventory.sandbox import FAULTS, compile_text, run_bounded

GROWING = [
    "{{ 'a' * 10 ** 10 }}",
    "{{ 10 ** 10 ** 8 * 10 ** 10000 }}",
    "{{ range(10**9) | list }}",
    "{{ 'a'.ljust(10**10) }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ 'x' | center(10**10) }}",
    "{{ [1] | batch(10**9, 0) | list }}",
    "{{ ('a' * 1000) | replace('a', 'b' * 100000) }}",
    "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
    "{{ ('\t' * 1000).expandtabs(100000) }}",
    "{{ ['x' * 1000] * 100000 }}",
    "{{ (['x' * 1000] * 10000) | join }}",
    "{{ ''.join(['a' * 1000000] * 1000) }}",
    "{{ (1).to_bytes(10**9) }}",
    "{{ range(100000) | map('string') | join('aaaaaaaaaaaaaaaaa') }}",
    "{% set ns = namespace(x='aaaa') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{% set ns = namespace(x='aaaa') %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    "{% set ns = namespace(x=['a']) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ ('\t' * 9999).expandtabs(10 ** 6) }}",
    "{{ ('a\n' * 9999) | indent(10 ** 5) }}",
    "{{ range(9999) | list | tojson(indent=10 ** 5) }}",
    "{{ range(99999) | list | join('b' * 99999) }}",
    "{{ ('b' * 99999).join(range(99999) | map('string') | list) }}",
    "{{ ('a' * 99999).translate({97: 'b' * 99999}) }}",
    "{{ ('{0:>{1}}' * 9999).format('a', 99999) }}",
    "{{ ('%(a)9999d' * 99999) % {'a': 1} }}",
    "{{ ('%9999s' * 9999) | format(*range(9999)) }}",
    "{{ ([[0] * 999] * 999) | sum(start=[]) }}",
    "{{ range(99999) | select('in', range(99999) | list) | list | length }}",
    "{% set big = range(99999) | list %}{% for i in big %}{% if i in big %}x{% endif %}{% endfor %}",
    "{{ 'a' | truncate(0, end='b' * 999) }}",
]


@pytest.mark.parametrize("text", GROWING)
def test_what_would_grow_without_end_is_an_error_soon(text: str) -> None:
    begin = time.process_time()
    with pytest.raises(FAULTS):
        run_bounded(compile_text(text)[0])
    assert time.process_time() - begin < 10


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{ a ~ '-' ~ 1 }}", "x-1"),
        ("{{ ['a', 'b'] | join(',') }}", "a,b"),
        ("{{ 'mx-{}'.format(7) }} {{ 'mx%02d' % 7 }}", "mx-7 mx07"),
        ("{{ a.replace('x', 'y') | upper }}", "Y"),
        ("{% if a == 'x' %}yes{% else %}no{% endif %}", "yes"),
        ("{% for i in range(3) %}{{ loop.index }}{% endfor %}", "123"),
        ("{{ 3 * 4 + 2 ** 3 }}", "20"),
        ("{{ ('a,b' | string).split(',')[1] }}", "b"),
        ("{{ nothing | default('d') }}", "d"),
        ("{{ 'x' in ['x', 'y'] and 'z' not in 'xy' }}", "True"),
        ("{{ [1, 2] | sum }} {{ [[1], [2]] | sum(start=[]) }}", "3 [1, 2]"),
        ("{{ {'a': 1} | tojson(indent=0) | length }} {{ 'a\nb' | indent(4) }}", "10 a\n    b"),
        ("{{ ['b', 'a'] | sort | join(', ') }} {{ 'ab' | truncate(1, true, '', 0) }}", "a, b a"),
    ],
)
def test_ordinary_templates_are_as_ever(text: str, result: str) -> None:
    assert run_bounded(compile_text(text)[0], a="x") == result


@pytest.mark.parametrize("text", ["{{ ''.__class__.__mro__ }}", "{{ a.__init__.__globals__ }}", "{{ lipsum() }}"])
def test_nothing_leads_into_python(text: str) -> None:
    with pytest.raises(TemplateError):
        run_bounded(compile_text(text)[0], a="x")
