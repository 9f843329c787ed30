"""The site: pages of this folder, READMEs of the networks, docstrings."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# a decorator of mmcv that cannot be looked up on a class
from mmcv.transforms.utils import cache_randomness  # noqa: E402, I001

import rtseg_plugin  # noqa: E402, in place before the host is imported

_bind = cache_randomness.__get__
cache_randomness.__get__ = (
    lambda self, obj, cls: self if obj is None else _bind(self, obj, cls))

project = 'rtseg_plugin'
author = 'rtseg_plugin maintainers'
copyright = author
version = release = rtseg_plugin.__version__

extensions = [
    'myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon',
    'sphinx_copybutton'
]
exclude_patterns = ['_build']
myst_enable_extensions = ['deflist']
myst_heading_anchors = 3
html_theme = 'furo'
html_title = f'rtseg_plugin {version}'
html_theme_options = dict(top_of_page_buttons=[])
copybutton_exclude = '.linenos, .gp'
suppress_warnings = ['misc.highlighting_failure']

autodoc_default_options = {
    'members': True,
    'show-inheritance': True,
    'exclude-members': 'init_cfg',
}
autodoc_typehints = 'none'  # the docstrings say types, with shapes and units
autodoc_inherit_docstrings = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True

NETWORKS = sorted(
    page.parent.name for page in (ROOT / 'configs').glob('*/README.md'))
_LINK = re.compile(r'(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)')


def _site_links(text: str, folder: Path) -> str:
    """Links of a README as the site has them; other files by their name."""
    pages = {
        **{ROOT / f'configs/{name}/README.md': f'{name}.md'
           for name in NETWORKS},
        **{page: f'../{page.relative_to(ROOT / "docs").as_posix()}'
           for page in (ROOT / 'docs').glob('*.md')},
        ROOT / 'README.md': '../index.md',
    }

    def replace(match: re.Match) -> str:
        bang, words, target, anchor = match.groups()
        if '://' in target:
            return match[0]
        path = (folder / target).resolve()
        if not path.exists():
            raise FileNotFoundError(f'{folder}: link to {target}')
        if path in pages:
            return f'[{words}]({pages[path]}{anchor or ""})'
        if bang:
            return f'![{words}](../{path.relative_to(ROOT / "docs")})'
        return words if '`' in words else f'`{words}`'

    return _LINK.sub(replace, text)


def _write_networks(app) -> None:
    """docs/networks/NAME.md of configs/NAME/README.md; not kept in git."""
    folder = ROOT / 'docs/networks'
    folder.mkdir(exist_ok=True)
    for name in NETWORKS:
        source = ROOT / f'configs/{name}/README.md'
        text = _site_links(source.read_text(encoding='utf-8'), source.parent)
        target = folder / f'{name}.md'
        if not target.is_file() or target.read_text('utf-8') != text:
            target.write_text(text, encoding='utf-8')


def setup(app) -> None:
    app.connect('config-inited', lambda app, config: _write_networks(app))
