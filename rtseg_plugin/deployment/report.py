"""``report.md`` of a deployed folder."""
from pathlib import Path


def write_report(path: Path, metadata: dict) -> None:
    """Say what was exported and what was measured.

    Args:
        path (Path): File to write.
        metadata (dict): Of the folder.
    """
    image, output = metadata['input'], metadata['output']
    size = 'any size, ' if image['size'] is None else '{}x{}, '.format(
        *image['size'])
    weights = 'initial weights' if metadata['checkpoint'] is None else (
        '{file}, SHA-256 {sha256}'.format(**metadata['checkpoint']))
    lines = [
        f'# {metadata["name"]}: {metadata["format"]}, '
        f'{metadata["precision"]}', '', f'- Weights: {weights}.',
        '- Frames: ' + size +
        ('uint8 BGR, normalised in the graph.' if image['raw'] else
         f'normalised {metadata["channel_order"].upper()} '
         f'{image["layout"]}.'), f'- Out: {output["kind"]}' +
        (f' of {output["channels"]} channels at stride {output["stride"]}; '
         'labels of the size of the frame are made from these.'
         if output['kind'] == 'logits' else ' of the size of the frame.'),
        '- Versions: ' + ', '.join(
            f'{name} {version}'
            for name, version in metadata['versions'].items()) + '.'
    ]
    if metadata['test_mode'] == 'slide':
        lines.append("- The config's tests slide a window over the image; "
                     'this takes it as a whole, and gives other labels.')
    if metadata['state']:
        lines.append('- State: ' + ', '.join(
            f'`{field["name"]}` {tuple(field["shape"])} {field["dtype"]}'
            for field in metadata['state']) + '; zeros before the first '
            'frame, `next_NAME` of a step is `NAME` of the one after it.')
    lines += [
        '', '## Against eager PyTorch', '',
        '| precision | frames | largest difference / largest logit | other '
        'labels |', '|---|---|---|---|'
    ]
    lines += [
        f'| {c["precision"]} | {c["frames"]} of {c["height"]}x{c["width"]} | '
        f'{c["difference"]:.1e} | {c["labels"]:.3%} |'
        for c in metadata['comparisons']
    ]
    if 'int8' in metadata:
        lines += _int8(metadata)
    path.write_text('\n'.join(lines) + '\n', encoding='utf-8')


def _int8(metadata: dict) -> list:
    """What quantisation costs and gives."""
    int8, took = metadata['int8'], metadata['int8']['network_ms']
    lines = [
        '', '## INT8', '',
        f'{int8["quantised_operations"]} quantised tensors, ranges from '
        f'{int8["calibration_images"]} {int8["calibrated_on"]}, the rest '
        f'computed in {int8["compute"]}. The network alone, logits out, in '
        f'turns with its fp32 form on {int8["threads"]} threads of this '
        f'machine at the time of the export: fp32 {took["fp32"]:.1f} ms, int8 '
        f'{took["int8"]:.1f} ms. {int8["other_labels"]:.2%} of the positions '
        'of the logits have '
        'another label.'
    ]
    if 'plain_int8_miou' in int8:
        lines.append(
            'With everything quantised mIoU was '
            f'{int8["plain_int8_miou"]:.2f}: what cost most is in float.')
    if 'accuracy' not in int8:
        return lines + ['', 'mIoU was not measured: a folder of images has no '
                        'labels.']
    fp32, after = int8['accuracy']['fp32'], int8['accuracy']['int8']
    lines += [
        '', f'On {int8["accuracy"]["images"]} validation images:', '',
        '| IoU, % | fp32 | int8 | |', '|---|---|---|---|',
        f'| mean | {fp32["miou"]:.2f} | {after["miou"]:.2f} | '
        f'{after["miou"] - fp32["miou"]:+.2f} |'
    ]
    names = metadata['classes'] or [str(i) for i in range(1000)]
    for name, a, b in zip(names, fp32['classes'], after['classes']):
        # where they part; None is a class that is not in the images
        if None not in (a, b) and abs(a - b) >= 0.5:
            lines.append(f'| {name} | {a:.2f} | {b:.2f} | {b - a:+.2f} |')
    return lines
