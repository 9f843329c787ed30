"""Turn a finished training into a network that the package brings by name.

::

    python tools/misc/package_weights.py NAME CONFIG CHECKPOINT --command TEXT
        --hours H --data-command TEXT

Writes ``rtseg_plugin/weights/NAME``: backbone, neck and head in float16, norms
and biases in float32, as ``model.safetensors``, a config for inference and
tests, and a model card. The checkpoint is tested before and what was written
after rounding, on the test data of the config; both results are in the card.
"""
import argparse
import hashlib
import shutil
from pathlib import Path
from typing import Dict

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from safetensors.torch import save_file

from rtseg_plugin.utils.host_tools import load_config
from rtseg_plugin.utils.packaged_weights import WEIGHTS, find, load_tensors
from rtseg_plugin.utils.safe_load import safe_torch_load

PARTS = ('backbone.', 'neck.', 'decode_head.')
TRAINING = ('train_dataloader', 'train_pipeline', 'train_cfg', 'load_from',
            'optim_wrapper', 'param_scheduler', 'custom_hooks', 'val_cfg',
            'val_dataloader', 'val_evaluator', 'resume', 'auto_scale_lr')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n')[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('name', help='such as sctnet-s-street')
    parser.add_argument('config', help='recipe that trained it')
    parser.add_argument('checkpoint')
    parser.add_argument('--data', required=True, help='root of the test data')
    parser.add_argument(
        '--loader', choices=('test', 'val'), default='test',
        help='data to test on; of a video network val is quicker: the '
        'annotated frames alone, with the clip before each')
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--hours', type=float, required=True,
                        help='that the training took')
    parser.add_argument('--machine', required=True, help='where it ran')
    parser.add_argument('--scored-on', required=True,
                        help='what the test data are, such as "80 scenes"')
    parser.add_argument('--commit', required=True, help='that trained it')
    parser.add_argument('--command', action='append', required=True,
                        help='of data and training, repeatable, in order')
    return parser.parse_args()


def inference_config(config: Config) -> Config:
    """What of a recipe testing and predicting need, with a plain model."""
    kept = {k: v for k, v in config.to_dict().items() if k not in TRAINING}
    model = kept['model']
    for key in ('auxiliary_head', 'teacher', 'alignments', 'train_cfg'):
        model.pop(key, None)
    if model['type'] == 'DistilledEncoderDecoder':
        model['type'] = 'EncoderDecoder'
    kept['default_hooks'] = {
        key: hook for key, hook in kept['default_hooks'].items()
        if key in ('timer', 'logger')
    }
    return Config(kept)


def test(config: Config, tensors: Dict[str, torch.Tensor], data: str,
         work_dir: Path) -> Dict[str, float]:
    """Metrics of weights on the config's test data, classes included."""
    config = Config(config.to_dict())
    config.work_dir = str(work_dir)
    config.test_dataloader.dataset.data_root = data
    config.log_level = 'WARNING'
    evaluators = config.test_evaluator
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    config.test_evaluator = [evaluators[0]]
    runner = Runner.from_cfg(config)
    runner.model.load_state_dict(tensors)
    runner.model.eval()
    metric = runner.test_evaluator.metrics[0]
    found: Dict[str, float] = {}
    compute = metric.compute_metrics

    def keep_classes(results: list) -> dict:
        counts = [torch.stack([r[i] for r in results]).sum(0)
                  for i in range(2)]
        for name, part, whole in zip(metric.dataset_meta['classes'], *counts):
            found[name] = 100 * float(part / whole) if whole else float('nan')
        return compute(results)

    metric.compute_metrics = keep_classes
    return {**runner.test(), **found}


def card(args: argparse.Namespace, before: Dict[str, float],
         after: Dict[str, float], digest: str, size: int) -> str:
    """Text of the model card."""
    def show(value: float) -> str:
        return 'not in the data' if value != value else f'{value:.2f}'

    classes = '\n'.join(
        f'| {name} | {show(value)} |' for name, value in after.items()
        if name not in ('mIoU', 'aAcc', 'mAcc') and '/' not in name)
    commands = '\n'.join(args.command)
    return f"""# {args.name}

A network of rtseg_plugin, trained on scenes that its own renderer draws and on
nothing else: no photograph, no other weights. Load it with
`rtseg_plugin.apis.load_segmentor('{args.name}')`.

**Not for real streets.** The scenes are drawings with the classes of
Cityscapes; on photographs the network guesses. It is there to try the tools,
to export and quantise something that has learnt, and for tests. Nothing that
matters may rest on what it says.

| | |
|---|---|
| recipe | `{Path(args.config).name}` |
| seed | {args.seed} |
| commit | {args.commit} |
| time | {args.hours:.1f} hours, {args.machine} |
| mIoU, validation scenes | {after['mIoU']:.2f} % \
({before['mIoU']:.2f} % before rounding to float16), {args.scored_on} |
| pixel accuracy | {after['aAcc']:.2f} % |
| file | `model.safetensors`, {size} bytes, SHA-256 `{digest}` |

```shell
{commands}
```

| class | IoU, % |
|---|---|
{classes}
"""


def main() -> None:
    args = parse_args()
    config = inference_config(load_config(args.config))
    tested = config
    if args.loader == 'val':
        recipe = load_config(args.config)
        tested = Config({
            **config.to_dict(), 'test_dataloader': recipe.val_dataloader,
            'test_evaluator': recipe.val_evaluator
        })
    state = safe_torch_load(args.checkpoint, 'cpu')['state_dict']
    tensors = {
        # norms stay in float32: running variances go beyond float16
        key: value.half() if value.is_floating_point() and value.ndim > 1
        else value
        for key, value in state.items() if key.startswith(PARTS)
    }
    folder, part = WEIGHTS / args.name, WEIGHTS / f'{args.name}.part'
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    save_file({k: v.contiguous() for k, v in tensors.items()},
              part / 'model.safetensors')
    (part / 'model.safetensors').chmod(0o644)
    config.dump(part / 'config.py')
    content = (part / 'model.safetensors').read_bytes()
    work_dir = Path('work_dirs', f'package_{args.name}')
    full = {k: v for k, v in state.items() if k.startswith(PARTS)}
    before = test(tested, full, args.data, work_dir)
    (part / 'model_card.md').write_text('')
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    after = test(tested, load_tensors(find(args.name)), args.data, work_dir)
    (folder / 'model_card.md').write_text(card(
        args, before, after, hashlib.sha256(content).hexdigest(),
        len(content)))
    print(f'{folder}: mIoU {before["mIoU"]:.2f} before rounding, '
          f'{after["mIoU"]:.2f} after')


if __name__ == '__main__':
    main()
