"""MMSegmentation's confusion_matrix.py, with a count that is right.

The host counts pairs of classes in the 8 bits of the images, where those of
more than 15 classes wrap around, and takes 1 from labels that are reduced
already. Predictions are what ``mim test ... --out DIR`` writes.
"""
import importlib.util
import sys
from typing import List

import numpy as np
from torch.utils.data import Dataset

from rtseg_plugin.utils.host_tools import host_tool, resolve_config_in


def calculate_confusion_matrix(dataset: Dataset,
                               results: List[np.ndarray]) -> np.ndarray:
    """Pixels by true and predicted class.

    Args:
        dataset (Dataset): The host's BaseSegDataset, images with labels.
        results (list[np.ndarray]): The written predictions of shape (H, W),
            in the order of the images.

    Returns:
        np.ndarray: Of shape (classes, classes); a row is a true class.
    """
    if len(dataset) != len(results):
        sys.exit(f'error: {len(results)} predictions, but the test set has '
                 f'{len(dataset)} images')
    n = len(dataset.METAINFO['classes'])
    matrix = np.zeros((n, n), np.int64)
    for i, result in enumerate(results):
        label = dataset[i]['data_samples'].gt_sem_seg.data[0].numpy()
        valid = label != dataset.ignore_index
        # with reduce_zero_label the metric writes the classes plus 1
        predicted = result[valid] - np.int64(dataset.reduce_zero_label)
        pairs = n * label[valid].astype(np.int64) + predicted
        matrix += np.bincount(pairs, minlength=n * n).reshape(n, n)
    return matrix


def main() -> None:
    path = host_tool('analysis_tools/confusion_matrix.py')
    sys.argv[1:] = resolve_config_in(sys.argv[1:])
    spec = importlib.util.spec_from_file_location('host_tool', path)
    host = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(host)
    host.calculate_confusion_matrix = calculate_confusion_matrix
    host.main()


if __name__ == '__main__':
    main()
