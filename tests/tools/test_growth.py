"""Growth of the cost; no time is asserted."""
import json
import runpy

import pytest

from tests.builders import ROOT, run_tool

MEMORY = 'sctnet-s-lma_stage1_1xb2-demo_synthetic-street-256x512'
SCRIPT = ROOT / 'tools/analysis_tools/growth.py'


def test_lines_and_curves():
    growth = runpy.run_path(str(SCRIPT))
    grow, sentence = growth['growth'], growth['sentence']
    values = [1, 2, 4, 8]
    line = grow(values, [5 + 2 * v for v in values])
    assert line['linear']
    assert line['line'] == pytest.approx([5, 2])
    square = grow(values, [3. * v**2 for v in values])
    assert not square['linear']
    assert square['power'] == pytest.approx(2)
    text = sentence(dict(square, network='x', axis='pixels', values=values,
                         ms=[3., 12., 48., 192.]))
    assert 'from 1 to 8 the time grows 64.00 times' in text
    assert 'power 2.00' in text
    assert grow([1, 2], [1, 9])['linear']


@pytest.mark.slow
def test_curves_of_a_network(tmp_path):
    done = run_tool(
        'analysis_tools/growth.py', '--network', MEMORY, '--pixels', 0.008,
        0.03, '--batches', 1, 2, '--memories', 1, 2, '--classes', 2, 5,
        '--size', 64, 128, '--rounds', 1, '--threads', 1, '--out', tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / 'growth.json').read_text())
    curves = {row['axis']: row for row in result['curves']}
    assert list(curves['pixels']['values']) == [64 * 128 / 1e6,
                                                128 * 256 / 1e6]
    assert set(curves) == {'pixels', 'batch', 'classes', 'memory'}
    assert all(min(row['ms']) > 0 for row in curves.values())
    for ending in ('png', 'svg'):
        assert (tmp_path / f'growth.{ending}').stat().st_size > 999


def test_what_is_wrong_is_said():
    done = run_tool('analysis_tools/growth.py', '--network', 'nothing')
    assert done.returncode == 1
    assert "config 'nothing' is no file and no recipe" in done.stderr
    done = run_tool('analysis_tools/growth.py', '--batches', 0)
    assert done.returncode == 2
    assert '--batches are positive' in done.stderr
