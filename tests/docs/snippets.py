"""Every command and Python snippet of the documentation, and how it is run.

A fenced block of ``shell`` or ``python`` is run, in order, in one folder per
page, which holds tiny data under the names that the pages use (see
``fill_folder``). A comment in the line before the block, which no reader
sees, changes that::

    <!-- run: skip WHY IT CANNOT RUN HERE -->
    <!-- run: slow -->               (among the slow tests only)
    <!-- run: config NAME.py -->     (Python: a config; kept under that name,
                                      loaded, its model built and trained on
                                      one random batch)
    <!-- run: slow config NAME.py -->

Trainings are cut to two iterations, and what they save gets the name that it
would have; ``pip`` and ``make`` are not called, but extras and targets must
exist. Blocks of other languages are not run; a block
without a language is refused.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from rtseg_plugin.utils.host_tools import config_names, resolve_config
from tests.builders import ROOT, build_model, run_tool, samples

RUN = ('shell', 'python')
OTHER = ('text', 'bibtex', 'yaml', 'json', 'toml')
_FENCE = re.compile(r'^(?P<indent> *)(?P<ticks>`{3,})(?P<language>.*)$')
_MARK = re.compile(r'<!-- run: (.*?) -->\s*$', re.DOTALL)


class Snippet(NamedTuple):
    """A fenced block of a page.

    Attributes:
        page (str): Path below the project.
        line (int): Of its first line.
        language (str): As the fence says.
        text (str): What is in it.
        skip (str): Why it cannot run, or ''.
        slow (bool): Whether it runs among the slow tests only.
        config (str): File name that it is kept under as a config, or ''.
    """

    page: str
    line: int
    language: str
    text: str
    skip: str = ''
    slow: bool = False
    config: str = ''


def pages() -> List[Path]:
    """All pages of the project."""
    found = [*ROOT.glob('*.md'), *ROOT.glob('configs/**/*.md')]
    found += [
        page for page in ROOT.glob('docs/**/*.md')
        if not {'_build', 'networks'} & set(page.relative_to(ROOT).parts)
    ]
    return sorted(found)


def _options(mark: str, where: str) -> Dict[str, object]:
    """What a comment says."""
    word, _, rest = mark.partition(' ')
    if word == 'skip':
        if len(rest.split()) < 3:
            raise ValueError(f'{where}: "skip" says why')
        return dict(skip=rest)
    options = dict()
    words = mark.split()
    if words[0] == 'slow':
        options['slow'] = True
        words = words[1:]
    if words and words[0] == 'config' and len(words) == 2:
        options['config'] = words[1]
        words = []
    if words:
        raise ValueError(f'{where}: unknown mark {mark!r}')
    return options


def collect(page: Path) -> List[Snippet]:
    """Blocks of a page.

    Raises:
        ValueError: If a block has no language or an unknown one, or a mark
            is not understood.
    """
    name = page.relative_to(ROOT).as_posix()
    lines = page.read_text(encoding='utf-8').splitlines()
    result, i = [], 0
    while i < len(lines):
        match = _FENCE.match(lines[i])
        if not match:
            i += 1
            continue
        begin = i
        close = match['indent'] + match['ticks']
        i += 1
        while i < len(lines) and lines[i].rstrip() != close:
            i += 1
        body = lines[begin + 1:i]
        i += 1
        where = f'{name}:{begin + 1}'
        language = match['language'].strip()
        if language.startswith('{'):  # a directive of the site
            continue
        if language not in RUN + OTHER:
            raise ValueError(
                f'{where}: a block of {language or "no language"!r}; use one '
                f'of {RUN + OTHER}')
        before = '\n'.join(lines[:begin]).rstrip()
        mark = _MARK.search(before[before.rfind('<!--'):])
        options = _options(' '.join(mark[1].split()), where) if mark else {}
        indent = len(match['indent'])
        text = '\n'.join(line[indent:] for line in body)
        result.append(Snippet(name, begin + 2, language, text, **options))
    return result


# --- the folder of a page --------------------------------------------------

COLOURS = np.array([[128, 64, 128], [0, 0, 142], [70, 130, 180]], np.uint8)


def fill_folder(folder: Path) -> None:
    """Tiny data under the names that the pages use.

    images/ and masks/ (three colours), photo.jpg, photos/, clip.mp4,
    data/synthetic_street and data/synthetic_street_video (two clips).
    """
    import av

    from tests.builders import write_cityscapes
    rng = np.random.default_rng(0)
    for i in range(6):
        label = rng.integers(0, 3, (4, 8))
        label[0, :3] = range(3)
        colours = np.kron(
            COLOURS[label].transpose(2, 0, 1),
            np.ones((32, 32), np.uint8)).transpose(1, 2, 0)
        for kind, picture in (
                ('masks', colours),
                ('images', colours // 2 + rng.integers(
                    0, 90, colours.shape).astype(np.uint8))):
            (folder / kind).mkdir(exist_ok=True)
            cv2.imwrite(str(folder / kind / f'{i}.png'), picture[..., ::-1])
    write_cityscapes(folder / 'data/synthetic_street', 4, 2, (256, 512))
    (folder / 'photos').mkdir()
    frames = rng.integers(0, 255, (6, 256, 512, 3), np.uint8)
    for i, frame in enumerate(frames[:2]):
        cv2.imwrite(str(folder / f'photos/{i}.jpg'), frame)
    cv2.imwrite(str(folder / 'photo.jpg'), frames[0])
    with av.open(str(folder / 'clip.mp4'), 'w') as container:
        stream = container.add_stream('libx264', rate=25)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = 'yuv420p'
        for frame in frames:
            container.mux(stream.encode(
                av.VideoFrame.from_ndarray(frame, format='bgr24')))
        container.mux(stream.encode())


# --- running ---------------------------------------------------------------

# two iterations, and no processes for the data
CUT = [
    'train_cfg.max_iters=2', 'train_cfg.val_interval=2',
    'default_hooks.checkpoint.interval=2', 'train_dataloader.batch_size=2',
    *(f'{loader}_dataloader.{option}' for loader in ('train', 'val', 'test')
      for option in ('num_workers=0', 'persistent_workers=False'))
]
FILES = ('cp', 'mkdir', 'ls', 'cat', 'mv')


def commands(text: str) -> List[List[str]]:
    """Words of each command; comments and line ends are gone."""
    joined = re.sub(r'\\\n', ' ', text)
    return [words for line in joined.splitlines()
            if (words := shlex.split(line, comments=True))]


def tool_path(name: str) -> str:
    """What ``mim run rtseg_plugin NAME`` runs, below tools/."""
    found = list((ROOT / 'tools').rglob(f'{name}.py'))
    assert len(found) == 1, f'mim run finds {found} for {name}'
    return found[0].relative_to(ROOT / 'tools').as_posix()


def _options_of(words: List[str]) -> Tuple[List[str], List[str]]:
    """Words without --gpus and --launcher, and the --cfg-options."""
    rest, options, words = [], [], list(words)
    while words:
        word = words.pop(0)
        if word in ('--gpus', '--launcher', '--gpus-per-node'):
            words.pop(0)
        elif word == '--cfg-options':
            while words and '=' in words[0]:
                options.append(words.pop(0))
        else:
            rest.append(word)
    return rest, options


def run_command(words: List[str], folder: Path) -> str:
    """One command; returns what it said.

    Raises:
        AssertionError: If it fails, or is one that pages do not use.
    """
    environment = dict(os.environ, MPLBACKEND='Agg')
    if words[0] == 'pip':
        return _check_pip(words)
    if words[0] == 'make':
        makefile = (ROOT / 'Makefile').read_text()
        for target in words[1:]:
            assert '=' in target or re.search(
                rf'^{re.escape(target)}:', makefile, re.M), words
        return ''
    if words[:2] in (['mim', 'train'], ['mim', 'test']):
        assert words[2] == 'rtseg_plugin', words
        rest, options = _options_of(words[3:])
        rest[0] = resolve_config(rest[0])
        if words[1] == 'test' and '--checkpoint' in rest:
            at = rest.index('--checkpoint')
            rest[1:] = [rest[at + 1], *rest[1:at], *rest[at + 2:]]
        result = run_tool(f'{words[1]}.py', *rest, '--cfg-options', *options,
                          *CUT)
        if (words[1] == 'train' and '--work-dir' in rest
                and result.returncode == 0):
            cfg = Config.fromfile(rest[0])
            cfg.merge_from_dict(dict(x.split('=', 1) for x in options))
            saved = folder / rest[rest.index('--work-dir') + 1]
            (saved / 'iter_2.pth').rename(
                saved / f'iter_{cfg.train_cfg.max_iters}.pth')
    elif words[:3] == ['mim', 'run', 'rtseg_plugin']:
        if words[3] == 'synthetic_street':  # makes what others find
            shutil.rmtree(folder / words[4], ignore_errors=True)
        result = run_tool(tool_path(words[3]), *words[4:])
    elif words[0] == 'mim':
        result = subprocess.run(
            [sys.executable, '-W', 'ignore', '-m', *words], cwd=folder,
            env=environment, capture_output=True, text=True)
    elif words[0] == 'python' and len(words) > 1 and not words[1].startswith(
            'tools/'):
        result = subprocess.run(
            [sys.executable, *words[1:]], cwd=folder, env=environment,
            capture_output=True, text=True)
    elif words[0] in FILES:
        result = subprocess.run(words, cwd=folder, capture_output=True,
                                text=True)
    else:
        raise AssertionError(
            f'{words[0]!r} is none of what pages use: mim, pip, make, python, '
            f'{", ".join(FILES)}; a script of tools/ is called "mim run '
            'rtseg_plugin NAME"')
    assert result.returncode == 0, (words, result.stdout[-3000:],
                                    result.stderr[-3000:])
    return result.stdout


def _check_pip(words: List[str]) -> str:
    setup = (ROOT / 'setup.py').read_text()
    assert words[1] == 'install', words
    for word in words[2:]:
        for extras in re.findall(r'\[([\w,]+)\]$', word):
            if word.startswith(('.', 'rtseg_plugin')):
                for extra in extras.split(','):
                    assert f"'{extra}': requirements(" in setup, words
        if word.startswith('requirements/'):
            assert (ROOT / word).is_file(), words
    return ''


def run_config(path: Path) -> None:
    """Load a config; build its model and train it on one random batch."""
    init_default_scope('mmseg')
    cfg = Config.fromfile(str(path))
    if 'model' not in cfg:
        return
    torch.manual_seed(0)
    model = build_model(cfg).train()
    clip = 'Video' in type(model).__name__ and cfg.model.get('neck')
    size = (64, 128)
    inputs = torch.randn(2, *((2, ) if clip else ()), 3, *size)
    labels = samples(2, size, model.num_classes,
                     model.decode_head.ignore_index)
    if cfg.model.get('backbone', {}).get('type') == 'PIDNet':
        for sample in labels:
            sample.gt_edge_map = sample.gt_sem_seg.clone()
            sample.gt_edge_map.data = (sample.gt_sem_seg.data == 0).long()
    losses = model.loss(inputs, labels)
    total = sum(sum(v) if isinstance(v, list) else v
                for k, v in losses.items() if 'loss' in k)
    assert torch.isfinite(total), losses
    total.backward()
    with torch.no_grad():
        logits = model.eval().encode_decode(
            inputs[:1], [dict(ori_shape=size, img_shape=size)])
    assert logits.shape == (1, model.out_channels, *size)


def run_snippet(snippet: Snippet, folder: Path, names: dict) -> None:
    """Run one block in ``folder``; ``names`` are the page's variables."""
    if snippet.language == 'shell':
        for words in commands(snippet.text):
            run_command(words, folder)
        return
    if snippet.config:
        path = folder / snippet.config
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(snippet.text, encoding='utf-8')
        run_config(path)
        return
    code = '\n' * (snippet.line - 1) + snippet.text  # lines as in the page
    exec(compile(code, str(ROOT / snippet.page), 'exec'), names)


def links(page: Path) -> List[str]:
    """Targets of a page's links to files of the project."""
    text = re.sub(r'```.*?```', '', page.read_text(encoding='utf-8'),
                  flags=re.DOTALL)
    found = re.findall(r'\]\(([^)#\s]+)[^)]*\)', text)
    return [target for target in found if '://' not in target
            and not target.startswith('mailto:')]


def recipes_named(page: Path) -> List[str]:
    """Config names that a page's commands give to mim."""
    words = [word for snippet in collect(page) if snippet.language == 'shell'
             for line in commands(snippet.text) for word in line]
    return [word for word in words if re.fullmatch(
        r'[\w.-]+_\d+xb\d+-[\w-]+(\.py)?', word)]


def known_recipes() -> set:
    return {name.removesuffix('.py') for name in config_names()}


def copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
