"""Metafiles, READMEs and files on disk agree."""
import re

import pytest
import yaml

from tests.builders import CONFIGS, ROOT, run_tool

NETWORKS = sorted(p.parent.name for p in CONFIGS.glob('*/README.md'))


def metafile(network):
    return yaml.safe_load((CONFIGS / network / 'metafile.yaml').read_text())


def test_model_index_imports_every_metafile():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert sorted(index['Import']) == sorted(
        p.relative_to(ROOT).as_posix()
        for p in CONFIGS.glob('*/metafile.yaml'))
    assert len(index['Import']) == len(NETWORKS)


def test_metafiles_are_those_of_the_configs():
    result = run_tool('misc/metafiles.py', '--check')
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize('network', NETWORKS)
def test_every_config_is_a_model(network):
    """Each is listed once, so that ``mim search`` shows all there are."""
    on_disk = [p.relative_to(ROOT).as_posix()
               for p in (CONFIGS / network).rglob('*.py')]
    listed = [model['Config'] for model in metafile(network)['Models']]
    assert sorted(listed) == sorted(on_disk)


def test_a_result_is_scored_as_the_paper_scores_it():
    """Figures of another protocol or of other classes are no results."""
    results = {
        model['Name']: model['Results'][0]['Metrics']['mIoU']
        for network in NETWORKS for model in metafile(network)['Models']
        if 'Results' in model
    }
    assert results['sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024'] == 80.5
    # LMANet's are at the size of the network, and after the second stage
    assert results['lmanet-erfnet-s4-r21-worksize_2xb5-50e_cityscapes-'
                   '512x1024'] == 73.72
    assert all('worksize' in name for name in results
               if 'lmanet' in name or 'erfnet' in name or 'psp' in name)
    # FANet's and RTFormer's COCO-Stuff has 182 classes
    assert {name for name in results if 'coco' in name} == {
        'sctnet-b_4xb4-160k_coco-stuff10k-640x640'}
    # recipes of ours, and of what a paper does not say
    assert not any(word in name for name in results for word in
                   ('plain', 'swin', 'demo', 'trainval', 'pascal'))


@pytest.mark.parametrize('network', NETWORKS)
def test_every_recipe_stands_in_its_readme(network):
    folder = CONFIGS / network
    text = (folder / 'README.md').read_text()
    for recipe in folder.glob('*.py'):
        if not recipe.stem.startswith('segformer_mit-b0'):  # teachers
            assert recipe.stem in text, recipe.stem
    for link in re.findall(r'\]\((?!http)([^)#]+)\)', text):
        assert (folder / link).exists(), link


@pytest.mark.parametrize('page', ['README.md', 'docs/architecture.md',
                                  'docs/datasets.md'])
def test_links_of_the_pages(page):
    path = ROOT / page
    for link in re.findall(r'\]\((?!http)([^)#]+)\)', path.read_text()):
        assert (path.parent / link).exists(), link
