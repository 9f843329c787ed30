"""Metafiles, READMEs and files on disk agree."""
import re

import pytest
import yaml

from tests.builders import CONFIGS, ROOT

NETWORKS = ['sctnet', 'rtformer', 'fanet', 'gain', 'lmanet']


def metafile(network):
    return yaml.safe_load((CONFIGS / network / 'metafile.yaml').read_text())


def test_model_index_imports_every_metafile():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert sorted(index['Import']) == sorted(
        p.relative_to(ROOT).as_posix()
        for p in CONFIGS.glob('*/metafile.yaml'))
    assert len(index['Import']) == len(NETWORKS)


@pytest.mark.parametrize('network', NETWORKS)
def test_models_are_configs(network):
    meta = metafile(network)
    collections = {c['Name'] for c in meta['Collections']}
    assert meta['Models']
    for model in meta['Models']:
        assert model['In Collection'] in collections
        config = ROOT / model['Config']
        assert config.is_file(), config
        assert config.stem == model['Name']


@pytest.mark.parametrize('network', NETWORKS)
def test_every_config_is_a_model(network):
    """Each is listed once, so that ``mim search`` shows all there are."""
    on_disk = [p.relative_to(ROOT).as_posix()
               for p in (CONFIGS / network).rglob('*.py')]
    listed = [model['Config'] for model in metafile(network)['Models']]
    assert sorted(listed) == sorted(on_disk)


@pytest.mark.parametrize('network', NETWORKS)
def test_every_recipe_stands_in_its_readme(network):
    folder = CONFIGS / network
    text = (folder / 'README.md').read_text()
    for recipe in folder.glob('*.py'):
        if not recipe.stem.startswith('segformer'):  # the demo's teacher
            assert recipe.stem in text, recipe.stem
    for link in re.findall(r'\]\((?!http)([^)#]+)\)', text):
        assert (folder / link).exists(), link


@pytest.mark.parametrize('page', ['README.md', 'docs/architecture.md',
                                  'docs/datasets.md'])
def test_links_of_the_pages(page):
    path = ROOT / page
    for link in re.findall(r'\]\((?!http)([^)#]+)\)', path.read_text()):
        assert (path.parent / link).exists(), link
