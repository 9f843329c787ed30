"""The papers' claims in miniature: equal budgets, several seeds, one table.

Each row of a table is a recipe with options, trained through ``mim train`` by
as many iterations as the rows beside it. What came out of every run is
written to docs/claims.json with its commands and what it started from, and
from there, as mean and range, into docs/results.md between its marks, where
tables that were not asked for stay. A run that is in the JSON, of the same
options and start, is not done again.
``--reduced`` leaves out what minutes are too short for. Two runs at a time, on
one core each.
"""
import argparse
import json
import os
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from hashlib import sha1
from pathlib import Path
from string import Formatter
from typing import Dict, List, NamedTuple, Sequence, Tuple

# the sibling is found as well when this file is loaded by its path
sys.path.insert(0, str(Path(__file__).resolve().parent))
from _demo import (  # noqa: E402
    render,
    scalars,
    test,
    test_command,
    train,
    train_command,
)

BEGIN, END = '<!-- claims: begin -->\n', '<!-- claims: end -->\n'
STREET = 'synthetic-street-128x256'
SCTNET = f'sctnet-s_1xb12-demo_{STREET}'
ALONE = f'sctnet-s-no-teacher_1xb12-demo_{STREET}'
BFA = f'sctnet-s-bfa_1xb12-demo_{STREET}'
RTFORMER = f'rtformer-slim_1xb12-demo_{STREET}'
FANET = 'fanet-18_1xb4-demo_synthetic-street-256x512'
FANET_T = 'fanet-18-t2_1xb4-demo_synthetic-street-256x512'
GAIN = f'gain-r18_1xb12-demo_{STREET}'
STREAM = f'erfnet-stream_1xb4-demo_{STREET}'
BLEND = f'erfnet-blend-s4-r21_stage2_1xb4-demo_{STREET}'
LMANET = f'lmanet-erfnet-s4-r21_stage2_1xb4-demo_{STREET}'
CAMVID = '1xb6-2k_camvid-360x480'

TAUGHT = ('model.teacher.checkpoint={teacher}', )
# the recipe's whole frames, since its attention is a sum over positions: two
# clips of them a step
SECOND = ('load_from={fanet}', 'train_dataloader.batch_size=2')


def rival_loss(kind: str, **more: Sequence) -> Tuple[str, ...]:
    """Options that give BFA's four alignments another loss."""
    options = list(TAUGHT)
    for i, weight in enumerate((0.6, 3., 3., 3.)):
        loss = f'model.alignments.{i}.loss'
        options += [f'{loss}._delete_=True', f'{loss}.type={kind}',
                    f'{loss}.loss_weight={weight}']
        options += [f'{loss}.{key}={value[i]}' for key, value in more.items()]
    return tuple(options)


def external(heads: Tuple[int, int]) -> Tuple[str, ...]:
    """Options that give both of RTFormer's branches external attention."""
    return tuple(
        f'model.backbone.{branch}_attention.{option}'
        for branch, number in zip(('low', 'high'), heads)
        for option in ('_delete_=True', 'type=MultiHeadExternalAttention',
                       f'num_heads={number}', 'ratio=1.0'))


def memory(frames: int, window: int) -> Tuple[str, ...]:
    """Options of a memory of so many frames and such a window."""
    return ('load_from={erfnet}', f'model.neck.memory_size={frames}',
            f'model.neck.window_size={window}',
            f'train_dataloader.dataset.clip_length={frames + 1}',
            f'val_dataloader.dataset.clip_length={frames + 1}')


class Row(NamedTuple):
    """What is compared: a recipe and what is changed in it."""

    name: str
    config: str
    options: Tuple[str, ...] = ()


class Start(NamedTuple):
    """What rows start from: a checkpoint, and where it comes from."""

    path: str
    source: str


class Table(NamedTuple):
    """A claim: rows with equal budgets, the first one the yardstick.

    ``iterations`` are those of the full and the reduced set, 0 where it is
    not in that; ``data`` is a key of ``--data``'s folders.
    """

    title: str
    data: str
    iterations: Tuple[int, int]
    rows: Tuple[Row, ...]


# what rows start from: recipe, data, iterations of both sets
STARTS = {
    'teacher':
    (f'segformer_mit-b0_1xb12-demo_{STREET}', 'street', (2000, 300)),
    'fanet': (FANET, 'street', (400, 0)),
    'camvid_teacher': (f'segformer_mit-b0_{CAMVID}', 'camvid', (2000, 0)),
}
TABLES = (
    Table('SCTNet, Table 6: what the teacher gives', 'street', (1000, 130), (
        Row('no teacher', ALONE),
        Row('BFA', BFA, TAUGHT),
        Row('BFA and SDHA', SCTNET, TAUGHT))),
    Table('SCTNet, Table 4: blocks, without a teacher', 'street',
          (1000, 130), (
              Row('CFBlock', ALONE),
              Row('ResBlock', ALONE,
                  ('model.backbone.block.type=ConvResBlock', )),
              Row('GFABlock', ALONE,
                  ('model.backbone.block.type=GFABlock', )))),
    Table('SCTNet, Table 4: blocks, with the teacher', 'street', (1000, 0), (
        Row('CFBlock', SCTNET, TAUGHT),
        Row('ResBlock', SCTNET, TAUGHT + (
            'model.backbone.block.type=ConvResBlock', )),
        Row('GFABlock', SCTNET, TAUGHT + (
            'model.backbone.block.type=GFABlock', )))),
    Table('SCTNet, Table 9a: losses of BFA', 'street', (1000, 0), (
        Row('no teacher', ALONE),
        Row('channel-wise (CWD)', BFA, TAUGHT),
        Row('L2', BFA, rival_loss('L2DistillationLoss')),
        Row('KL', BFA, rival_loss('KLDistillationLoss')),
        Row('mutual information (MI)', BFA, rival_loss(
            'VariationalInformationLoss', channels=(19, 128, 256, 160))))),
    Table('SCTNet on CamVid: teacher and blocks', 'camvid', (1000, 0), (
        Row('no teacher', f'sctnet-s-plain_{CAMVID}'),
        Row('BFA and SDHA', f'sctnet-s_{CAMVID}',
            ('model.teacher.checkpoint={camvid_teacher}', )),
        Row('no teacher, ResBlock', f'sctnet-s-plain_{CAMVID}',
            ('model.backbone.block.type=ConvResBlock', )))),
    Table('RTFormer, Table 5a: attention', 'street', (600, 0), (
        Row('GFA and cross attention', RTFORMER),
        Row('external attention with heads', RTFORMER, external((8, 2))),
        Row('external attention', RTFORMER, external((1, 1))))),
    Table('FANet, Table III: attention', 'street', (400, 0), (
        Row('none', FANET, ('model.neck.attention.type=NoAttention', )),
        Row('fast attention', FANET))),
    Table('FANet: a second frame', 'snippets', (150, 0), (
        Row('t=1', FANET_T, SECOND + (
            'model.neck.num_frames=1',
            'train_dataloader.dataset.clip_length=1',
            'val_dataloader.dataset.clip_length=1')),
        Row('t=2', FANET_T, SECOND))),
    Table('GAIN: interpolation', 'street', (300, 0), (
        Row('bilinear', GAIN, (
            'model.neck.interpolation.type=BilinearInterpolation', )),
        Row('flow alignment', GAIN, (
            'model.neck.interpolation.type=FlowAlignedInterpolation', )),
        Row('guided attentive', GAIN))),
    Table('LMANet, Tables I and II: memory (`BlendFusion`), the encoder of '
          '`erfnet-memory-street` frozen', 'snippets', (300, 60), (
              Row('S=0, decoder trained on', STREAM, ('load_from={erfnet}', )),
              *(Row(f'S={s}, R={r}', BLEND, memory(s, r))
                for s, r in ((1, 21), (2, 21), (4, 21), (4, 1), (4, 3), (4, 5),
                             (4, 11))),
              Row("S=4, R=21, LMANet's own fusion", LMANET, memory(4, 21)))),
)
# the reduced set has no time for these
LONG = {'S=2, R=21', 'S=4, R=3', 'S=4, R=5', 'S=4, R=11',
        "S=4, R=21, LMANet's own fusion"}
FIGURES = ('mIoU', 'mTC', 'mVC8', 'mVC8_strict')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--reduced', action='store_true', help='135 minutes of one core')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--only', help='tables whose title holds this, such as "Table 6"')
    parser.add_argument(
        '--iterations', type=int, help='of every run, for a quick look')
    parser.add_argument('--jobs', type=int, default=2, help='runs at a time')
    parser.add_argument('--train', type=int, default=400, help='scenes')
    parser.add_argument('--val', type=int, default=80, help='scenes')
    parser.add_argument(
        '--snippets', type=int, nargs=2, metavar=('TRAIN', 'VAL'),
        help='default 120 24, with --reduced 40 12')
    parser.add_argument('--data', default='data', help='its folder')
    parser.add_argument(
        '--camvid', help='of camvid.py, at 360x480; without it none')
    parser.add_argument('--work-dirs', default='work_dirs/claims')
    parser.add_argument('--docs', default='docs', help='of results.md')
    args = parser.parse_args()
    if args.snippets is None:
        args.snippets = (40, 12) if args.reduced else (120, 24)
    return args


def chosen(args: argparse.Namespace) -> List[Table]:
    """Tables of the set, with iterations of this set alone."""
    tables = []
    for table in TABLES:
        iterations = table.iterations[args.reduced]
        if (not iterations or table.data == 'camvid' and not args.camvid
                or args.only and args.only not in table.title):
            continue
        rows = tuple(row for row in table.rows
                     if not (args.reduced and row.name in LONG))
        tables.append(table._replace(
            iterations=args.iterations or iterations, rows=rows))
    if not tables:
        titles = '\n'.join(table.title for table in TABLES)
        sys.exit('error: no table of this set is left; there are\n' + titles)
    return tables


def prepare_data(args: argparse.Namespace, tables: List[Table],
                 logs: Path) -> Dict[str, str]:
    """Render what the tables need; folders by the names of data."""
    needed = {table.data for table in tables}
    folders = dict(street=f'{args.data}/synthetic_street', snippets=(
        f'{args.data}/claims_snippets_{args.snippets[0]}'), camvid=args.camvid)
    if 'street' in needed:
        render(folders['street'], args.train, args.val,
               log=logs / 'street.txt')
    if 'snippets' in needed:
        render(folders['snippets'], *args.snippets, '--dense', '--frames',
               '20', log=logs / 'snippets.txt')
    return folders


def length(iterations: int) -> Tuple[str, ...]:
    """Options of a training that is validated and saved once, in the end."""
    return (f'train_cfg.max_iters={iterations}',
            f'train_cfg.val_interval={iterations}',
            f'default_hooks.checkpoint.interval={iterations}',
            'default_hooks.checkpoint.save_best=None')


def prepare_starts(args: argparse.Namespace, tables: List[Table],
                   folders: Dict[str, str], logs: Path) -> Dict[str, Start]:
    """Train, or take from the package, what rows start from."""
    needed = {name for t in tables for r in t.rows for name in starts_of(r)}
    starts = {}
    for name, (config, data, iterations) in STARTS.items():
        if name in needed:
            number = args.iterations or iterations[args.reduced]
            work_dir = Path(args.work_dirs, f'{name}_{number}')
            path = train(config, work_dir, folders[data], *length(number),
                         log=logs / f'{name}.txt')
            command = train_command(
                config, work_dir, folders[data], 0, *length(number))
            starts[name] = Start(str(work_dir / path.name), typed(command))
    if 'erfnet' in needed:
        name, path = 'erfnet-memory-street', Path(args.work_dirs, 'erfnet.pth')
        starts['erfnet'] = Start(
            str(path), f'backbone and decode_head of {name}, SHA-256 '
            + packaged_image_network(name, path))
    return starts


def starts_of(row: Row) -> List[str]:
    """Names of what a row starts from, the placeholders in its options."""
    return [name for option in row.options
            for _, name, _, _ in Formatter().parse(option) if name]


def typed(command: Sequence[str]) -> str:
    """A command of openmim as one types it."""
    return ' '.join(('mim', *command))


def packaged_image_network(name: str, path: Path) -> str:
    """Backbone and head of a network of the package as a checkpoint.

    Returns:
        str: SHA-256 of the package's file.
    """
    import torch

    from rtseg_plugin.utils.deployed_folder import sha256_of
    from rtseg_plugin.utils.packaged_weights import find, load_tensors
    network = find(name)
    state = {key: value for key, value in load_tensors(network).items()
             if not key.startswith('neck.')}
    torch.save(dict(state_dict=state), path)
    return sha256_of(network.weights)


def run(args: argparse.Namespace, row: Row, starts: Dict[str, Start],
        iterations: int, seed: int, data: str, folder: str) -> Dict:
    """Train, and of snippets test on all frames; what came out.

    The checkpoint is not kept: there are many.
    """
    config = row.config
    options = filled(row, starts)
    everything = (*options, *length(iterations))
    digest = sha1(' '.join(everything).encode()).hexdigest()[:8]
    work_dir = Path(args.work_dirs, f'{config}_{digest}_seed{seed}')
    checkpoint = work_dir / train(
        config, work_dir, folder, *everything, log=Path(f'{work_dir}.txt'),
        seed=seed).name
    commands = [train_command(config, work_dir, folder, seed, *everything)]
    if data == 'snippets':
        tested = (config, checkpoint, Path(f'{work_dir}_test'), folder,
                  f'test_evaluator.1.flow.root={folder}/flow/val',
                  'test_evaluator.1.flow.img_root='
                  f'{folder}/leftImg8bit_sequence/val',
                  *(o for o in options if o.startswith('model.')))
        commands.append(test_command(*tested))
        found = test(*tested, log=Path(f'{work_dir}_test.txt'))
    else:
        found = [x for x in scalars(work_dir) if 'mIoU' in x][-1]
    checkpoint.unlink(missing_ok=True)
    return dict(
        config=config, options=row.options, iterations=iterations, seed=seed,
        starts=sources(row, starts),
        commands=[typed(command) for command in commands],
        **{key: round(found[key], 2) for key in FIGURES if key in found})


def filled(row: Row, starts: Dict[str, Start]) -> Tuple[str, ...]:
    """A row's options with the paths of what it starts from."""
    paths = {name: start.path for name, start in starts.items()}
    return tuple(option.format(**paths) for option in row.options)


def sources(row: Row, starts: Dict[str, Start]) -> Dict[str, str]:
    """Where a row's starts come from."""
    return {name: starts[name].source for name in starts_of(row)}


def identity(config: str, options: Sequence[str], iterations: int,
             starts: Dict[str, str], **_: object) -> Tuple:
    """What a run is of, but for its seed."""
    return config, tuple(options), iterations, tuple(starts.items())


def spread(values: Sequence[float]) -> str:
    """Mean, and the range of several."""
    if len(values) < 2:
        return f'{values[0]:.2f}' if values else '-'
    return (f'{statistics.mean(values):.2f} '
            f'({min(values):.2f} to {max(values):.2f})')


def markdown(table: Table, starts: Dict[str, Start],
             records: List[Dict]) -> str:
    """A table, of the runs that there are."""
    figures = FIGURES if table.data == 'snippets' else FIGURES[:1]
    lines = [
        f'{table.title}; {table.iterations} iterations:', '', '| | runs | '
        + ' | '.join(f'{f.replace("_", " ")}, %' for f in figures)
        + ' | recipe |', '|' + '---|' * (len(figures) + 3)
    ]
    for row in table.rows:
        wanted = identity(row.config, row.options, table.iterations,
                          sources(row, starts))
        runs = [r for r in records if identity(**r) == wanted]
        cells = [spread([r[f] for r in runs if f in r]) for f in figures]
        lines.append('| ' + ' | '.join(
            [row.name, str(len(runs)), *cells, f'`{row.config}`']) + ' |')
    return '\n'.join(lines)


def write_section(page: Path, written: Dict[str, str]) -> None:
    """Put tables, by their titles, between the marks of a page.

    Others that stand there stay; all come in the order of ``TABLES``.

    Raises:
        SystemExit: If it has no marks.
    """
    text = page.read_text(encoding='utf-8') if page.is_file() else ''
    if not 0 <= text.find(BEGIN) < text.find(END):
        sys.exit(f'error: {page} has no lines "{BEGIN.strip()}" and '
                 f'"{END.strip()}" for the tables to stand between')
    before, after = text.split(BEGIN)[0], text.split(END)[-1]
    old = text[len(before) + len(BEGIN):len(text) - len(after) - len(END)]
    parts = old.strip().split('\n\n')
    stands = {
        heading.rpartition('; ')[0]: f'{heading}\n\n{rows}'
        for heading, rows in zip(parts[::2], parts[1::2])
    }
    stands.update(written)
    section = '\n\n'.join(
        stands[table.title] for table in TABLES if table.title in stands)
    page.write_text(f'{before}{BEGIN}{section}\n{END}{after}',
                    encoding='utf-8')


def main() -> None:
    args = parse_args()
    tables = chosen(args)
    logs = Path(args.work_dirs)
    logs.mkdir(parents=True, exist_ok=True)
    folders = prepare_data(args, tables, logs)
    starts = prepare_starts(args, tables, folders, logs)
    kept = Path(args.docs, 'claims.json')
    records = json.loads(kept.read_text()) if kept.exists() else []
    done = {(identity(**record), record['seed']) for record in records}
    os.environ['OMP_NUM_THREADS'] = str(
        max((os.cpu_count() or 1) // args.jobs, 1))
    futures = []
    with ThreadPoolExecutor(args.jobs) as pool:
        # seed by seed, so that a run which is stopped has whole tables
        for seed in args.seeds:
            for table in tables:
                for row in table.rows:
                    key = identity(row.config, row.options,
                                   table.iterations, sources(row, starts))
                    if (key, seed) in done:
                        continue
                    done.add((key, seed))
                    futures.append(pool.submit(
                        run, args, row, starts, table.iterations, seed,
                        table.data, folders[table.data]))
        try:
            for future in as_completed(futures):
                records.append(future.result())
                kept.write_text(json.dumps(records, indent=1) + '\n')
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    written = {table.title: markdown(table, starts, records)
               for table in tables}
    write_section(Path(args.docs, 'results.md'), written)
    print('\n\n'.join(written.values()))
    print(f'\n=== {kept}, {args.docs}/results.md')


if __name__ == '__main__':
    main()
