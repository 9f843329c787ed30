"""What the demos share: running openmim, and reading what it printed."""
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple, Union

TOOLS = Path(__file__).resolve().parents[1]
_SHOWN = re.compile(r'Iter\(|\||error|Error|mIoU|img / s|peak|mapped|scenes'
                    r'|classifier|commonest|ms per frame|wrote')


def call(title: str, *command: str, log: Path) -> str:
    """Run a command, showing some and keeping all of what it prints."""
    print(f'\n=== {title}\n$ {" ".join(command)}', flush=True)
    start, lines = time.time(), []
    with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True) as process, log.open('w') as file:
        for line in process.stdout:
            file.write(line)
            lines.append(line)
            if _SHOWN.search(line):
                print(f'  {line.rstrip()[:150]}', flush=True)
    if process.returncode:
        print(''.join(lines[-15:]))
        sys.exit(f'error: "{" ".join(command)}" failed, see {log}')
    print(f'  ({time.time() - start:.0f} s)', flush=True)
    return ''.join(lines)


def mim(*command: str) -> Tuple[str, ...]:
    """A command line of openmim of this environment."""
    return sys.executable, '-m', 'mim', *command


def render(data: str, train: int, val: int, *options: str,
           log: Path) -> None:
    """Render the synthetic streets, or what is missing of them."""
    call('render the streets', sys.executable,
         str(TOOLS / 'dataset_converters/synthetic_street.py'), data,
         '--train', str(train), '--val', str(val), *options, log=log)


def gpus() -> str:
    """How many GPUs to use, for openmim: one, if there is any."""
    import torch
    return '1' if torch.cuda.is_available() else '0'


def _settings(config: str, data: str, options: Sequence[str]) -> str:
    """What a training depends on; of files, whether they are the same."""
    files = [
        Path(value) for value in (x.split('=', 1)[-1] for x in options)
        if Path(value).is_file()
    ]
    state = Path(data, 'synthetic_street.json')
    return json.dumps(
        dict(
            config=config,
            options=options,
            data=state.read_text() if state.is_file() else data,
            files=[path.stat().st_mtime for path in files]),
        indent=1)


def train_command(config: str, work_dir: Path, data: str, seed: int,
                  *options: str) -> Tuple[str, ...]:
    """What follows ``mim`` to train a recipe on a data set."""
    roots = [f'{loader}_dataloader.dataset.data_root={data}/'
             for loader in ('train', 'val', 'test')]
    return ('train', 'rtseg_plugin', f'{config}.py', '--gpus', gpus(),
            '--work-dir', str(work_dir), '--cfg-options',
            f'randomness.seed={seed}', *options, f'data_root={data}/', *roots)


def test_command(config: str, checkpoint: Path, work_dir: Path, data: str,
                 *options: str) -> Tuple[str, ...]:
    """What follows ``mim`` to test a checkpoint on a data set."""
    return ('test', 'rtseg_plugin', f'{config}.py', '--checkpoint',
            str(checkpoint), '--gpus', gpus(), '--work-dir', str(work_dir),
            '--cfg-options', f'test_dataloader.dataset.data_root={data}/',
            *options)


def train(config: str,
          work_dir: Path,
          data: str,
          *options: str,
          log: Path,
          iterations: Optional[int] = None,
          seed: int = 0) -> Path:
    """Train a recipe, or go on where it was stopped.

    What it left there with other settings is done again; a folder that is not
    its own is refused.

    Args:
        config (str): Name of the recipe.
        work_dir (Path): Its work folder; 'settings.json' there says what it
            is of, a file 'finished' that nothing is left to do.
        data (str): Root of the data set.
        *options (str): For ``--cfg-options``.
        log (Path): Where the output goes.
        iterations (int, optional): Instead of the recipe's.
        seed (int): Of the training. Defaults to 0.

    Returns:
        Path: The last checkpoint.
    """
    if iterations:
        options += (f'train_cfg.max_iters={iterations}',
                    f'train_cfg.val_interval={max(iterations // 2, 1)}',
                    f'default_hooks.checkpoint.interval={iterations}')
    command = train_command(config, work_dir, data, seed, *options)
    settings = _settings(
        config, data, command[command.index('--cfg-options') + 1:])
    note = work_dir / 'settings.json'
    if work_dir.exists() and not note.exists():
        sys.exit(f'error: {work_dir} is not from this demo; move it away, or '
                 'choose another folder with --work-dirs')
    if note.exists() and note.read_text() != settings:
        print(f'{work_dir} is of other settings: training anew')
        shutil.rmtree(work_dir)
    work_dir.mkdir(parents=True, exist_ok=True)
    note.write_text(settings)
    pointer, done = work_dir / 'last_checkpoint', work_dir / 'finished'
    if not done.exists():
        resume = ['--resume'] if pointer.exists() else []
        call(f'train {work_dir.name}', *mim(*command, *resume), log=log)
        done.touch()
    return Path(pointer.read_text().strip())


def scalars(work_dir: Path) -> List[dict]:
    """What the trainings in a work folder logged."""
    return [
        json.loads(line)
        for log in sorted(work_dir.glob('*/vis_data/scalars.json'))
        for line in log.read_text().splitlines()
    ]


def test(config: str, checkpoint: Path, work_dir: Path, data: str,
         *options: str, log: Path) -> Dict[str, Union[float, str]]:
    """``mim test``; its metrics, and the printed table under 'table'."""
    text = call(
        f'test {work_dir.name}',
        *mim(*test_command(config, checkpoint, work_dir, data, *options)),
        log=log)
    line = [x for x in text.splitlines() if re.search(r'Iter\(test\)', x)
            and 'mIoU' in x][-1]
    result = {
        name: float(value)
        for name, value in re.findall(r'(\w+): (-?[\d.]+|nan)(?=\s|$)', line)
    }
    table = re.search(r'\+[-+]+\n\|\s*Class .*\n(?:[|+].*\n)+', text)
    return dict(result, table=table[0].rstrip() if table else '')
