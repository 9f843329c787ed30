"""Exported folders: numbers, metadata, what is refused."""
import json
import shutil
import zipfile

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.structures import SegDataSample

from rtseg_plugin.apis import Segmentor, load_segmentor
from rtseg_plugin.apis.deployed import DeployedNetwork
from rtseg_plugin.deployment import compare
from rtseg_plugin.deployment.export import config_size, export, load_source
from rtseg_plugin.models.decode_heads import ERFNetHead
from rtseg_plugin.utils.deployed_folder import DeploymentError
from rtseg_plugin.utils.host_tools import resolve_config
from rtseg_plugin.utils.runtimes import openvino_core
from tests.builders import run_tool
from tests.deployment.conftest import CLASSES, SIZE, frame

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')


@pytest.fixture(scope='module')
def folders(small, tmp_path_factory):
    """What each way of exporting makes, by name; made when asked for."""
    root, made = tmp_path_factory.mktemp('exported'), {}

    def make(name, **options):
        if name not in made:
            pytest.importorskip(
                dict(openvino='openvino').get(options.get('format'), 'onnx'))
            export(*small, out=root / name, **options)
            made[name] = root / name
        return made[name]

    return make


WAYS = dict(
    onnx=dict(format='onnx'),
    openvino=dict(format='openvino'),
    pt2=dict(format='pt2'),
    onnx_all=dict(
        format='onnx', dynamic=True, output='labels', raw_input=True),
    openvino_all=dict(
        format='openvino', dynamic=True, output='labels', raw_input=True),
    pt2_dynamic=dict(format='pt2', dynamic=True),
    pt2_all=dict(format='pt2', output='labels', raw_input=True),
    openvino_fp16=dict(format='openvino', precision='fp16'),
    openvino_bf16=dict(format='openvino', precision='bf16'),
)
# the others have every option between them, but for INT8: test_int8.py
TRIED = [
    pytest.param(way, marks=pytest.mark.slow)
    if way in ('onnx_all', 'openvino') else way for way in WAYS]


# share of the pixels: such numbers move a logit by up to TOLERANCES
OTHER_LABELS = dict(openvino_fp16=2e-2, openvino_bf16=1e-1)


def eager_labels(small, image):
    """The host's own way: preprocessor, network, resize, argmax."""
    model = load_segmentor(*small)
    data = model.data_preprocessor(
        dict(
            inputs=[torch.from_numpy(image).permute(2, 0, 1)],
            data_samples=[SegDataSample()]), False)
    with torch.no_grad():
        return model.predict(data['inputs'])[0].pred_sem_seg.data[0].numpy()


@pytest.mark.parametrize('way', TRIED)
def test_labels_are_those_of_the_host(small, folders, way):
    deployed = DeployedNetwork(folders(way, **WAYS[way]), threads=1)
    sizes = [SIZE, (75, 81)] if WAYS[way].get('dynamic') else [SIZE]
    for size in sizes:
        image = frame(3, size)
        labels, state = deployed.step(image)
        want = eager_labels(small, image)
        assert labels.shape == size
        assert labels.dtype == np.uint8
        assert len(np.unique(want)) > 2
        # where two classes are all but equal, rounding decides
        assert (labels != want).mean() < OTHER_LABELS.get(way, 1e-3)
        assert tuple(state) == ()


@pytest.mark.parametrize('way, name', [('openvino_fp16', 'f16'),
                                       ('openvino_bf16', 'bf16')])
def test_half_as_many_bits(folders, way, name):
    """A processor without such numbers computes in float32 all the same."""
    pytest.importorskip('openvino')
    hint, folder = 'INFERENCE_PRECISION_HINT', folders(way, **WAYS[way])
    core = openvino_core()
    model = core.read_model(str(folder / 'model.xml'))
    want = core.compile_model(model, 'CPU', {hint: name}).get_property(hint)
    deployed = DeployedNetwork(folder, threads=1)
    assert deployed.runtime.model.get_property(hint) == want
    assert deployed.metadata['compute_precision'] == name
    assert {c['precision'] for c in deployed.metadata['comparisons']} == {
        deployed.metadata['precision']}
    weights = (folders('openvino', format='openvino') / 'model.bin').stat()
    share = (folder / 'model.bin').stat().st_size / weights.st_size
    assert share < 0.6 if name == 'f16' else share > 0.9


@pytest.mark.parametrize('way', ['onnx', 'openvino'])
def test_a_folder_says_what_it_is(small, folders, way):
    folder = folders(way, **WAYS[way])
    metadata = json.loads((folder / 'metadata.json').read_text())
    assert metadata['classes'] == CLASSES
    assert metadata['palette'][4] == [4, 2, 3]
    assert metadata['mean'] == [123.675, 116.28, 103.53]
    assert metadata['std'] == [58.395, 57.12, 57.375]
    assert metadata['channel_order'] == 'rgb'
    assert metadata['input']['size'] == list(SIZE)
    assert metadata['output']['channels'] == 5
    assert metadata['output']['stride'] == 1
    assert len(metadata['checkpoint']['sha256']) == 64
    assert metadata['versions']['torch'] == torch.__version__
    # the other sizes were compared before this one was fixed
    assert len({(c['height'], c['width'])
                for c in metadata['comparisons']}) == 3
    assert max(c['difference'] for c in metadata['comparisons']) < 1e-4
    report = (folder / 'report.md').read_text()
    assert metadata['checkpoint']['sha256'] in report
    assert '64x96' in report


def test_a_folder_of_pytorch_holds_no_pickle(folders):
    """Neither example inputs nor weights are written as one."""
    path = folders('pt2', **WAYS['pt2']) / 'model.pt2'
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert any('weights' in name for name in contents)
    for name, content in contents.items():
        # bare, or in the archive of torch.save
        assert not content.startswith((b'\x80\x02', b'PK\x03\x04')), name
        assert b'"use_pickle": true' not in content, name


def test_the_onnx_file_says_it_too(folders):
    onnx = pytest.importorskip('onnx')
    model = onnx.load(folders('onnx', format='onnx') / 'model.onnx')
    props = {p.key: json.loads(p.value) for p in model.metadata_props
             if p.key in ('classes', 'mean', 'channel_order')}
    assert props == dict(
        classes=CLASSES, mean=[123.675, 116.28, 103.53], channel_order='rgb')
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_value for d in dims] == [1, 3, *SIZE]


def test_frames_that_do_not_fit_are_refused(folders):
    deployed = DeployedNetwork(folders('onnx', format='onnx'))
    with pytest.raises(ValueError, match='frames of 64x96.*got 96x64'):
        deployed.step(frame(size=(96, 64)))
    with pytest.raises(ValueError, match='uint8 array.*float64'):
        deployed.step(frame() / 2)
    with pytest.raises(ValueError, match='got NoneType'):
        deployed.step(None)
    free = DeployedNetwork(folders('onnx_all', **WAYS['onnx_all']))
    with pytest.raises(ValueError, match='at least 9 pixels a side'):
        free.step(frame(size=(8, 64)))


def test_a_changed_folder_is_refused(folders, tmp_path):
    folder = tmp_path / 'copy'
    shutil.copytree(folders('onnx', format='onnx'), folder)
    metadata = json.loads((folder / 'metadata.json').read_text())
    model = folder / 'model.onnx'
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    with pytest.raises(DeploymentError, match='SHA-256 differs'):
        DeployedNetwork(folder)
    model.unlink()
    with pytest.raises(DeploymentError, match="no file 'model.onnx'"):
        DeployedNetwork(folder)
    (folder / 'metadata.json').write_text(json.dumps(dict(metadata, files={})))
    with pytest.raises(DeploymentError, match='names no file of the model'):
        DeployedNetwork(folder)
    (folder / 'metadata.json').write_text(
        json.dumps(dict(metadata, format_version=99)))
    with pytest.raises(DeploymentError, match='version 99.*reads version 1'):
        DeployedNetwork(folder)
    (folder / 'metadata.json').write_text('{"format_version":')
    with pytest.raises(DeploymentError, match='cannot be read'):
        DeployedNetwork(folder)
    with pytest.raises(DeploymentError, match='is no deployed model'):
        DeployedNetwork(tmp_path)


@pytest.mark.parametrize('options, message', [
    (dict(size=(8, 64)), 'at least 9 pixels a side, got 8x64'),
    (dict(precision='int4'), 'exported in fp32, not in int4$'),
    (dict(precision='int8'), 'not in int8; --format openvino is'),
    (dict(format='tflite'), 'format is one of'),
])
def test_what_cannot_be_exported_is_refused(small, tmp_path, options,
                                            message):
    with pytest.raises(DeploymentError, match=message):
        export(*small, out=tmp_path / 'out', **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('padding, options, message', [
    (dict(size_divisor=32), dict(dynamic=True),
     'multiples of 32 .*give --size 64 96 instead of --dynamic$'),
    (dict(size_divisor=32), dict(size=(65, 90)), 'give --size 96 96$'),
    (dict(size=(80, 64)), dict(), 'at least 80 and 64 .*--size 80 96$'),
])
def test_padding_that_a_graph_leaves_out_is_refused(small, tmp_path, padding,
                                                    options, message):
    """Labels at the border would be others; the comparison sees no border."""
    padding = {'model.data_preprocessor.test_cfg': padding}
    with pytest.raises(DeploymentError, match=message):
        export(*small, out=tmp_path / 'out', cfg_options=padding, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_needs_no_padding_is_exported(small, tmp_path):
    config = Config.fromfile(small[0])
    config.model.data_preprocessor.test_cfg = dict(size_divisor=32)
    export(config, small[1], out=tmp_path / 'out')
    image = frame(3)
    want = next(Segmentor(config, small[1], device='cpu').predict(image))
    got, _ = DeployedNetwork(tmp_path / 'out').step(image)
    assert (got != want.labels).mean() < 1e-3


def test_an_existing_folder_is_left_alone(small, tmp_path):
    done = run_tool('deployment/export.py', *small, '--out', tmp_path)
    assert done.returncode == 1
    assert f'{tmp_path} exists' in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_network_is_refused(small, tmp_path):
    done = run_tool('deployment/export.py',
                    'sctnet-s_1xb4-demo_synthetic-street-256x512', small[1],
                    '--out', tmp_path / 'out')
    assert done.returncode == 1
    assert done.stderr.count('error:') == 1
    assert not (tmp_path / 'out').exists()


def test_wrong_numbers_leave_nothing_behind(small, tmp_path, monkeypatch):
    """An exporter that loses a bias, say."""
    from rtseg_plugin.deployment import export as module
    plain = module.write_onnx

    def wrong(program, *args):
        bias = program.state_dict['decode_head.conv_seg.bias']
        bias += 1
        plain(program, *args)
        bias -= 1

    monkeypatch.setattr(module, 'write_onnx', wrong)
    with pytest.raises(DeploymentError, match='other numbers than eager'):
        export(*small, out=tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('kind, operator, message', [
    ('onnx', torch.special.bessel_j0, 'ONNX cannot express.*bessel'),
    ('openvino', lambda x: x + torch.linalg.det(x[..., :4, :4])[0, 0],
     'OpenVINO cannot express.*Det'),
])
def test_an_operator_that_a_format_lacks(small, tmp_path, monkeypatch, kind,
                                         operator, message):
    pytest.importorskip(dict(onnx='onnxruntime').get(kind, kind))
    from rtseg_plugin.deployment.graph import InferenceGraph
    plain = InferenceGraph.forward

    def exotic(self, image, *state):
        logits, *after = plain(self, image, *state)
        return (operator(logits), *after)

    monkeypatch.setattr(InferenceGraph, 'forward', exotic)
    with pytest.raises(DeploymentError, match=message):
        export(*small, out=tmp_path / 'out', format=kind)
    assert list(tmp_path.iterdir()) == []


def test_a_head_that_does_more_than_to_resize(small, tmp_path, monkeypatch):
    monkeypatch.setattr(
        ERFNetHead, 'predict', lambda self, *args: None)
    with pytest.raises(DeploymentError, match='ERFNetHead does more in a'):
        export(*small, out=tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


def test_pools_of_the_host_follow_the_size(small, tmp_path):
    """Pyramid pooling, which the exporter freezes at the example's size."""
    head = dict(
        _delete_=True, type='PSPHead', in_channels=16, in_index=0,
        channels=8, num_classes=5, pool_scales=(1, 2, 3, 6))
    made = export(small[0], out=tmp_path / 'out', dynamic=True,
                  cfg_options={'model.decode_head': head})
    assert len({(c['height'], c['width']) for c in made['comparisons']}) == 3


def test_a_test_in_windows_is_said(small, tmp_path):
    """What is exported takes the image as a whole."""
    done = run_tool(
        'deployment/export.py', small[0], '--out', tmp_path / 'out',
        '--cfg-options', 'model.test_cfg.mode=slide')
    assert done.returncode == 0, done.stderr
    assert 'slide a window' in done.stdout
    assert 'slide a window' in (tmp_path / 'out/report.md').read_text()
    assert 'labels are those of random weights' in done.stdout


def test_what_is_no_config(tmp_path):
    (tmp_path / 'photo.png').write_bytes(b'')
    done = run_tool('deployment/export.py', tmp_path / 'photo.png', '--out',
                    tmp_path / 'out')
    assert done.returncode == 1
    assert done.stderr.startswith('error: ')


def test_options_reach_a_packaged_network_and_leave_a_config_alone(small):
    source = load_source('sctnet-s-street', cfg_options={
        'model.decode_head.align_corners': True})
    assert source.segmentor.align_corners
    assert source.checkpoint.endswith('.safetensors')
    plain = load_source('sctnet-s-street')
    assert not plain.segmentor.align_corners
    for key, value in source.segmentor.state_dict().items():
        assert torch.equal(value, plain.segmentor.state_dict()[key])
    with pytest.raises(DeploymentError, match='size mismatch'):
        load_source('sctnet-s-street', cfg_options={
            'model.decode_head.num_classes': 3})
    cfg = Config.fromfile(small[0])
    load_source(cfg, cfg_options={'model.decode_head.num_classes': 3})
    assert cfg.model.decode_head.num_classes == 5


def test_a_missing_package_is_one_line(small, tmp_path, monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, 'onnxscript', None)
    done = run_tool('deployment/export.py', *small, '--out',
                    tmp_path / 'out')
    assert done.returncode == 1
    assert done.stderr.strip().split('\n')[-1].startswith(
        'error: onnxscript cannot be imported')
    assert "pip install 'onnxscript'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_classes_are_never_of_another_data_set(small):
    """Without a checkpoint and without a data set they are unknown."""
    assert load_source(small[0]).classes is None
    assert load_source(*small).classes == CLASSES
    recipe = load_source('fanet-18_2xb8-10k_camvid-720x960')
    assert len(recipe.classes) == len(recipe.palette) == 11


@pytest.mark.parametrize('name, size', [
    ('sctnet-s_1xb4-demo_synthetic-street-256x512', (256, 512)),
    ('fanet-18_2xb8-80k_cityscapes-1024x1024', (1024, 2048)),
    ('sctnet-s_4xb8-160k_ade20k-512x512', (512, 512)),
    ('rtformer-slim_4xb3-38k_camvid-720x960', (720, 960)),
])
def test_the_size_comes_from_the_config(name, size):
    assert config_size(Config.fromfile(resolve_config(name))) == size


def test_frames_of_comparisons_are_images():
    image = compare.example_frame(40, 60)
    assert image.shape == (40, 60, 3)
    assert cv2.Laplacian(image, cv2.CV_64F).std() > 1


@pytest.mark.slow
def test_a_network_of_the_host_that_takes_no_odd_size(tmp_path):
    """PIDNet adds maps of a size rounded up and one rounded down."""
    from pathlib import Path

    import mmseg
    config = str(Path(mmseg.__file__).parent / '.mim' / 'configs' / 'pidnet' /
                 'pidnet-s_2xb6-120k_1024x1024-cityscapes.py')
    made = export(config, out=tmp_path / 'out', size=(128, 256))
    assert [(c['height'], c['width']) for c in made['comparisons']] == [
        (96, 224), (96, 96), (128, 256)]
    with pytest.raises(DeploymentError,
                       match='pidnet-s.* does not run at 81x97.* give --size'):
        export(config, out=tmp_path / 'any', size=(128, 256), dynamic=True)
    assert [path.name for path in tmp_path.iterdir()] == ['out']
