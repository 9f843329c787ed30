"""Write the models of the metafiles, as `mim search` shows them.

A metafile's collection is written by hand; its models are derived from the
configs: name, training data and batch size from the name of the file, the
architecture from the config, the result from the comment at its head. There
the first "N mIoU" is the paper's result of this very config, scored as the
config scores it; a head that has a figure of something else writes it in
another way. ``--check`` writes nothing and fails if a metafile is not what
this would write.
"""
import argparse
import re
import sys
from pathlib import Path
from typing import Iterator, Optional

import yaml
from mmengine.config import Config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
DATA = {
    'ade20k': 'ADE20K',
    'camvid': 'CamVid',
    'cityscapes': 'Cityscapes',
    'coco-stuff10k': 'COCO-Stuff 10K',
    'imagenet': 'ImageNet-1K',
    'pascal-context59': 'PASCAL-Context',
    'synthetic-street': 'Synthetic streets',
}
NAME = re.compile(r'.+_(?P<gpus>\d+)xb(?P<batch>\d+)-\w+_'
                  r'(?P<data>[a-z0-9-]+?)(-trainval)?-\d+x\d+')


def head_of(config: Path) -> str:
    """The comment at the head of a config, in one line."""
    lines = []
    for line in config.read_text().splitlines():
        if not line.startswith('#'):
            break
        lines.append(line[1:].strip())
    return ' '.join(lines)


def result_of(config: Path) -> Optional[float]:
    """The paper's mIoU of a config; None where its head has none."""
    match = re.search(r'(\d+\.\d+) mIoU', head_of(config))
    return match and float(match.group(1))


def architecture(cfg: Config) -> Iterator[str]:
    """What the network is made of."""
    backbone = cfg.model.backbone
    detail = backbone.get('depth', backbone.get('arch', ''))
    detail = detail if isinstance(detail, (int, str)) else ''
    yield f'{backbone.type.split(".")[-1]} {detail}'.strip()
    for part in ('neck', 'decode_head', 'head'):
        part = cfg.model.get(part)
        if part:
            part = part[-1] if isinstance(part, list) else part
            yield part.type


def model_of(config: Path, collection: dict) -> dict:
    """The entry of one config."""
    match = NAME.fullmatch(config.stem)
    if match is None or match['data'] not in DATA:
        raise ValueError(
            f'{config.name} is not named NETWORK_GPUSxbBATCH-LENGTH_DATA-'
            f'HxW.py with DATA one of {", ".join(DATA)}')
    data = DATA[match['data']]
    entry = {
        'Name': config.stem,
        'In Collection': collection['Name'],
        'Config': config.relative_to(CONFIGS.parent).as_posix(),
        'Metadata': {
            'Training Data': data,
            'Batch Size': int(match['gpus']) * int(match['batch']),
            'Architecture': list(
                architecture(
                    Config.fromfile(config, import_custom_modules=False))),
        },
    }
    result = result_of(config)
    if result is not None:
        entry['Results'] = [{
            'Task': 'Semantic Segmentation',
            'Dataset': data,
            'Metrics': {'mIoU': result},
        }]
    entry['Paper'] = dict(collection['Paper'])
    entry['Code'] = collection['Code']['URL']
    entry['Framework'] = 'PyTorch'
    return entry


def metafile(folder: Path) -> str:
    """What the metafile of a network has to be."""
    text = (folder / 'metafile.yaml').read_text()
    by_hand = text[:text.index('Models:\n')]
    collection, = yaml.safe_load(by_hand)['Collections']
    configs = sorted(
        folder.rglob('*.py'), key=lambda path: (len(path.parts), path))
    models = [model_of(config, collection) for config in configs]
    return by_hand + yaml.safe_dump(
        {'Models': models}, sort_keys=False, width=1000)


def main(args: Optional[list] = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--check', action='store_true', help='write nothing, only compare')
    check = parser.parse_args(args).check
    stale = []
    for path in sorted(CONFIGS.glob('*/metafile.yaml')):
        wanted = metafile(path.parent)
        if wanted == path.read_text():
            continue
        stale.append(path.parent.name)
        if not check:
            path.write_text(wanted)
    if check and stale:
        sys.exit(f'error: the metafiles of {", ".join(stale)} are not those '
                 'of the configs; run python tools/misc/metafiles.py')
    print(f'{"written" if stale else "up to date"}: '
          f'{", ".join(stale) or "all"}')


if __name__ == '__main__':
    main()
