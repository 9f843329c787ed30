"""How much of a network's rate a stream reaches."""
import tempfile
import time
from typing import Any, Dict, List, Optional

import numpy as np

from ..utils.timing import timed
from .recorder import Recorder
from .segmentor import Segmentor
from .sources import Source, open_source
from .video_session import resize_frame


def _network_alone(segmentor: Segmentor, frame: np.ndarray) -> Any:
    """A function that runs the network on one frame, its memory full."""
    network = segmentor.network
    frame = resize_frame(frame, segmentor.work_size(frame))
    state = None
    if not hasattr(network, 'logits'):  # a deployed folder: its graph
        image = network.prepare(frame)
        for _ in range(20 if network.stateful else 1):
            _, state = network.run_prepared(image, state)
        return lambda: network.run_prepared(image, state)
    import torch
    batch = network.prepare([frame])
    with torch.no_grad():
        for _ in range(20 if network.stateful else 1):
            _, state = network.logits(batch, state)

    def run() -> None:
        with torch.no_grad():
            network.logits(batch, state)

    return run


def measure_stream(segmentor: Segmentor,
                   source: Source,
                   frames: int = 30,
                   rounds: int = 3,
                   warm_up: int = 3) -> Dict[str, Any]:
    """Rates of the network alone and of whole streams, in turns.

    In each round come as many forwards of the network alone (from a
    normalised frame to what its graph gives), then the source from its file
    to labels, then the same with overlays drawn and encoded to a video.

    Args:
        segmentor (Segmentor): What runs.
        source (Source): A video file or a folder, see
            :func:`open_source`.
        frames (int): Of the source in each round. Defaults to 30.
        rounds (int): Defaults to 3.
        warm_up (int): Forwards that are not counted. Defaults to 3.

    Returns:
        dict: ``network_fps``, ``stream_fps`` and ``recorded_fps``, medians
        over the rounds, ``stream_over_network`` and
        ``recorded_over_network``, medians of the ratios within a round, and
        ``rounds`` with all of it, besides the segmentor's facts.

    Raises:
        ValueError: If there is nothing to measure.
        SourceError: If the source gives no frame.
    """
    if min(frames, rounds) < 1:
        raise ValueError('at least one frame and one round are measured')
    opened = open_source(source)
    image = next((f.image for f in opened if f.image is not None), None)
    opened.close()
    if image is None:
        raise ValueError(f'{source} gives no frame')
    network = _network_alone(segmentor, image)
    for _ in range(warm_up):
        network()
    results: List[dict] = []
    for _ in range(rounds):
        alone = frames / timed(
            lambda: [network() for _ in range(frames)],
            segmentor.facts()['device'])
        stream = _rate(segmentor, source, frames, None)
        with tempfile.TemporaryDirectory() as folder:
            recorded = _rate(segmentor, source, frames, folder)
        results.append(dict(
            network_fps=alone, stream_fps=stream, recorded_fps=recorded,
            stream_over_network=stream / alone,
            recorded_over_network=recorded / alone))
    medians = {key: float(np.median([r[key] for r in results]))
               for key in results[0]}
    return dict(segmentor.facts(), frame_size=list(image.shape[:2]),
                work_size=list(segmentor.work_size(image)), **medians,
                rounds=results)


def _rate(segmentor: Segmentor, source: Source, frames: int,
          out: Optional[str]) -> float:
    """Frames per second from opening the source to the last file."""
    start = time.perf_counter()
    prediction = segmentor.predict(source, max_frames=frames)
    recorder = Recorder(prediction.streams, out, video=True)
    for result in prediction:
        recorder.take(result)
    recorder.close()
    return prediction.streams[0].frames / (time.perf_counter() - start)
