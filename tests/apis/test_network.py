"""Segmentors by name; what is timed and counted."""
import pytest
import torch
from mmengine.config import Config

from rtseg_plugin.apis import (
    LogitsNetwork,
    Segmentor,
    TorchNetwork,
    frame_network,
    load_segmentor,
)
from tests import builders
from tests.apis.test_video_session import model_config, video


def built(**changes):
    torch.manual_seed(0)
    config = model_config()
    config.update(changes)
    return builders.build_model(config).eval()


def test_a_stream_is_timed_with_its_memory_full():
    model = built()
    x = torch.randn(2, 3, 32, 48)
    network = frame_network(model, x)
    state = None
    with torch.no_grad():
        for _ in range(model.neck.memory_size):
            _, state = model.step(x, state)
        assert state.keys.shape[1] == model.neck.memory_size
        y = torch.randn(2, 3, 32, 48)
        want = model.step(y, state)[0]
        torch.testing.assert_close(network(y), want)
        # the first frame of a stream, which has nothing to read, is another
        assert not torch.allclose(LogitsNetwork(model)(y), want)
        # nothing was left behind on the model: a stream starts anew
        torch.testing.assert_close(model.step(y)[0], LogitsNetwork(model)(y))


def test_without_a_memory_it_is_the_image_network():
    model = built(neck=None)
    network = frame_network(model, torch.randn(1, 3, 32, 48))
    assert type(network) is LogitsNetwork
    with torch.no_grad():
        x = torch.randn(1, 3, 32, 48)
        torch.testing.assert_close(network(x), model.step(x)[0])


def test_recipes_are_found_by_their_names(tmp_path, monkeypatch):
    name = 'lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024'
    monkeypatch.chdir(tmp_path)
    assert load_segmentor(f'{name}.py').neck.memory_size == 4
    assert Segmentor(name).network.model.neck.memory_size == 4
    with pytest.raises(FileNotFoundError, match=f'similar recipes.*{name}'):
        load_segmentor(name.replace('50e', '5e'))


class EndlessMemory(torch.nn.Module):
    """A neck that keeps every frame."""

    stateful = True

    def forward(self, features, state):
        frame = features[-1].unsqueeze(1)
        if state is not None:
            frame = torch.cat((state[0], frame), 1)
        return features, (frame, )


def test_a_memory_that_never_fills_is_told():
    model = built(neck=None)
    model.neck = EndlessMemory()
    with pytest.raises(ValueError, match='EndlessMemory still grows after'):
        frame_network(model, torch.randn(1, 3, 8, 8))


def test_the_callers_config_stays_as_it_is():
    config = Config(dict(model=model_config()))
    config.model.train_cfg = dict(name='kept')
    load_segmentor(config)
    assert config.model.train_cfg == dict(name='kept')


@pytest.mark.parametrize('padded', [False, True])
def test_frames_are_normalised_as_by_the_preprocessor(padded):
    """Bit for bit, in whichever order the channels lie in memory."""
    model = built()
    if not padded:
        model.data_preprocessor.test_cfg = None
    frames = video(0, 2, (33, 50))
    inputs = [torch.from_numpy(f).permute(2, 0, 1) for f in frames]
    data = dict(inputs=inputs, data_samples=builders.samples(2, (33, 50), 5))
    want = model.data_preprocessor(data, False)['inputs']
    assert want.shape[2:] == ((48, 64) if padded else (33, 50))
    assert torch.equal(TorchNetwork(model).prepare(frames), want)
