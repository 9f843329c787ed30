"""The site is built without a warning, and whole."""
import subprocess
import sys

import pytest

from tests.builders import ROOT

PAGES = sorted(
    p.stem for p in (ROOT / 'docs').glob('*.md') if p.stem != 'index')


def test_every_page_is_in_the_contents():
    text = (ROOT / 'docs/index.md').read_text(encoding='utf-8')
    contents = text[text.index('{toctree}'):].splitlines()
    assert PAGES
    assert [page for page in PAGES if page not in contents] == []


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip('furo')
    result = subprocess.run(
        [sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going', '-d',
         str(tmp_path / 'trees'), str(ROOT / 'docs'), str(tmp_path / 'html')],
        capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    api = (tmp_path / 'html/api.html').read_text(encoding='utf-8')
    for name in ('Segmentor', 'SCTNet', 'LocalMemoryAttention',
                 'DistilledEncoderDecoder', 'CamVidDataset'):
        assert f'.{name}"' in api, name
    assert (tmp_path / 'html/networks/sctnet.html').is_file()
