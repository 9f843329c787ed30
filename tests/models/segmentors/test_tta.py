"""Clips under the host's model for several versions of an input."""
import torch
from mmengine.registry import init_default_scope
from mmseg.models import SegTTAModel

from tests.builders import build_model, load_config, samples


def version(clip, flip):
    """One version of a clip as a data loader hands it over."""
    sample = samples(1, clip.shape[-2:], 19, 19)[0]
    sample.set_metainfo(
        dict(img_path='a.png', flip=flip, flip_direction='horizontal'))
    return dict(
        inputs=[clip.flip(-1) if flip else clip], data_samples=[sample])


@torch.no_grad()
def test_flips_of_a_clip_are_averaged():
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = build_model(
        load_config('_base_/models/lmanet-erfnet.py')).eval().double()
    clip = torch.randint(0, 255, (3, 3, 64, 96)).double()
    tta = SegTTAModel(model)
    versions = [version(clip, False), version(clip, True)]
    data = {key: [v[key] for v in versions] for key in versions[0]}
    got = tta.test_step(data)[0].pred_sem_seg.data
    model.data_preprocessor.size = None
    want = 0
    for one in versions:
        inputs = model.data_preprocessor(one, False)['inputs']
        logits = model(inputs, mode='tensor').softmax(dim=1)
        want = want + (logits.flip(-1) if one is versions[1] else logits)
    assert torch.equal(got, want.argmax(dim=1))
