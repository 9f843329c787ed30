"""What the documentation says is done, page by page."""
import re

import pytest

from tests.builders import ROOT
from tests.docs import snippets

PAGES = [page.relative_to(ROOT).as_posix() for page in snippets.pages()]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pages')
    snippets.fill_folder(folder)
    return folder


def blocks_of(page):
    """What runs of a page, the slow blocks too."""
    return [x for x in snippets.collect(ROOT / page)
            if x.language in snippets.RUN and not x.skip]


def pages_with(slow):
    """Pages that have something to run, of the slow blocks or the others."""
    found = []
    for page in PAGES:
        try:
            if any(block.slow == slow for block in blocks_of(page)):
                found.append(page)
        except ValueError:  # it cannot be read, and fails test_links_and_names
            continue
    return found


def run_blocks(blocks, data, tmp_path, monkeypatch):
    snippets.copy_tree(data, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MPLBACKEND', 'Agg')
    names = dict(__name__='__main__')
    for block in blocks:
        try:
            snippets.run_snippet(block, tmp_path, names)
        except BaseException as error:
            pytest.fail(f'{block.page}:{block.line}: {error!r}')


@pytest.mark.parametrize('page', pages_with(slow=False))
def test_quick_part_of_page(page, data, tmp_path, monkeypatch):
    run_blocks([x for x in blocks_of(page) if not x.slow], data, tmp_path,
               monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize('page', pages_with(slow=True))
def test_whole_page(page, data, tmp_path, monkeypatch):
    run_blocks(blocks_of(page), data, tmp_path, monkeypatch)


@pytest.mark.parametrize('page', PAGES)
def test_links_and_names(page):
    """Links lead to files, commands name recipes and scripts there are."""
    path = ROOT / page
    for target in snippets.links(path):
        if target.startswith('networks/'):  # made with the site
            target = f'../configs/{target[9:-3]}/README.md'
        assert (path.parent / target).exists(), target
    known = snippets.known_recipes()
    for name in snippets.recipes_named(path):
        assert name.removesuffix('.py') in known
    for block in snippets.collect(path):
        if block.language == 'shell':
            for words in snippets.commands(block.text):
                if words[:3] == ['mim', 'run', 'rtseg_plugin']:
                    snippets.tool_path(words[3])
                elif words[0] in ('pip', 'make'):
                    snippets.run_command(words, path)


@pytest.mark.parametrize('page', PAGES)
def test_files_that_are_named_are_there(page):
    """``rtseg_plugin/x/y.py`` and the like; but for a made-up network's."""
    text = (ROOT / page).read_text(encoding='utf-8')
    named = re.findall(
        r'`((?:rtseg_plugin|configs|tools|tests|docs)/[\w/.-]+)`', text)
    assert [name for name in named
            if 'foonet' not in name and not (ROOT / name).exists()] == []


def test_pages_are_found():
    assert {'README.md', 'configs/sctnet/README.md',
            'docs/architecture.md'} <= set(PAGES)
    assert sum(len(snippets.collect(ROOT / p)) for p in PAGES) > 20
    quick, slow = pages_with(slow=False), pages_with(slow=True)
    assert 'README.md' in quick
    assert {'docs/deploy.md', 'docs/distil.md'} <= set(slow)


@pytest.mark.parametrize('text, message', [
    ('```\nls\n```', 'no language'),
    ('```bash\nls\n```', "'bash'"),
    ('<!-- run: skip why -->\n```shell\nls\n```', 'says why'),
    ('<!-- run: fast -->\n```shell\nls\n```', 'unknown mark'),
])
def test_blocks_that_would_escape(tmp_path, monkeypatch, text, message):
    monkeypatch.setattr(snippets, 'ROOT', tmp_path)
    page = tmp_path / 'page.md'
    page.write_text(text)
    with pytest.raises(ValueError, match=message):
        snippets.collect(page)


def test_marks_and_indents(tmp_path, monkeypatch):
    monkeypatch.setattr(snippets, 'ROOT', tmp_path)
    page = tmp_path / 'page.md'
    page.write_text('a\n<!-- run: slow config my.py -->\n```python\nx = 1\n'
                    '```\n- b\n\n  ```shell\n  ls  # c\n  ```\n'
                    '<!-- run: skip needs\nsome more room -->\n\n'
                    '```shell\nrm\n```\n')
    config, command, skipped = snippets.collect(page)
    assert (config.slow, config.config, config.text) == (True, 'my.py',
                                                         'x = 1')
    assert (command.text, command.slow, command.line) == ('ls  # c', False, 9)
    assert snippets.commands(command.text) == [['ls']]
    assert skipped.skip == 'needs some more room'


@pytest.mark.parametrize('command', [
    'make nothing-of-that-name', 'pip install ".[nothing]"',
    'curl http://example.org', 'python tools/train.py x.py',
    'mim run rtseg_plugin dist_train x.py 2'  # mim runs no shell scripts
])
def test_commands_that_are_refused(command, tmp_path):
    with pytest.raises(AssertionError):
        snippets.run_command(*snippets.commands(command), tmp_path)


def test_python_that_fails_is_noticed(tmp_path):
    block = snippets.Snippet('page.md', 5, 'python', 'assert 1 == 2')
    with pytest.raises(AssertionError):
        snippets.run_snippet(block, tmp_path, {})
