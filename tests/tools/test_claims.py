"""The tables of claims, what is written of them, and a small run of two."""
import argparse
import importlib
import json
import sys

import pytest
from mmengine.config import DictAction

from rtseg_plugin.utils.host_tools import resolve_config
from tests.builders import ROOT, build_model, load_config

sys.path.insert(0, str(ROOT / 'tools/misc'))
claims = importlib.import_module('claims')
sys.path.remove(str(ROOT / 'tools/misc'))
TABLES = {table.title: table for table in claims.TABLES}


def with_options(row):
    """A row's config as the command line makes it."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    cfg = load_config(resolve_config(row.config))
    cfg.merge_from_dict(parser.parse_args(
        ['--cfg-options', 'x=1', *row.options]).cfg_options)
    return cfg


@pytest.mark.parametrize('title', TABLES)
def test_rows_differ_in_the_model_alone(title):
    rows = TABLES[title].rows
    configs = [with_options(row) for row in rows]
    for cfg in configs:
        for loader in (cfg.train_dataloader, cfg.val_dataloader):
            loader.dataset.pop('clip_length', None)
        assert cfg.train_dataloader == configs[0].train_dataloader
        assert cfg.val_dataloader == configs[0].val_dataloader
        assert cfg.optim_wrapper == configs[0].optim_wrapper
        assert cfg.param_scheduler == configs[0].param_scheduler
    models = [str(cfg.model) for cfg in configs]
    assert len(set(models)) == len(rows) > 1


@pytest.mark.parametrize('row', {
    (row.config, row.options): row
    for table in claims.TABLES for row in table.rows
}.values(), ids=lambda row: row.name)
def test_a_row_is_built(row):
    build_model(with_options(row))


def test_the_options_arrive():
    rows = {row.name: row for table in claims.TABLES for row in table.rows}
    model = build_model(with_options(rows['mutual information (MI)']))
    assert [type(x.loss).__name__ for x in model.alignments] == [
        'VariationalInformationLoss'] * 4
    assert [x.loss.loss_weight for x in model.alignments] == [0.6, 3, 3, 3]
    model = build_model(with_options(rows['S=4, R=1']))
    assert (model.neck.memory_size, model.neck.window_size) == (4, 1)
    model = build_model(with_options(rows['external attention']))
    kinds = {type(module).__name__ for module in model.backbone.modules()}
    assert 'MultiHeadExternalAttention' in kinds
    assert not kinds & {'GPUFriendlyAttention', 'CrossResolutionAttention'}
    cfg = with_options(rows['flow alignment'])
    assert cfg.train_dataloader.dataset.pipeline[3].crop_size == (128, 256)
    assert cfg.train_dataloader.dataset.pipeline[2].ratio_range == (0.5, 1.25)


def test_a_table_is_mean_and_range():
    table = claims.Table('A claim', 'street', (9, 0), (
        claims.Row('first', 'a', ('load_from={start}', )),
        claims.Row('second', 'b')))
    records = [
        dict(config='a', options=['load_from={start}'], iterations=9, seed=i,
             starts=dict(start=source), mIoU=figure)
        for i, (figure, source) in enumerate(
            ((10., 'here'), (11., 'here'), (15., 'here'), (99., 'elsewhere')))
    ] + [dict(config='b', options=[], iterations=8, seed=0, starts={},
              mIoU=99.)]
    starts = dict(start=claims.Start('/any/where.pth', 'here'))
    text = claims.markdown(table._replace(iterations=9), starts, records)
    assert '| first | 3 | 12.00 (10.00 to 15.00) | `a` |' in text
    assert '| second | 0 | - | `b` |' in text


def test_tables_are_replaced_and_nothing_else(tmp_path):
    page = tmp_path / 'results.md'
    first, second, *_ = TABLES
    with pytest.raises(SystemExit, match='has no lines'):
        claims.write_section(page, {first: 'new'})
    page.write_text(f'# Before\n{claims.BEGIN}{claims.END}behind\n')
    old = {title: f'{title}; 9 iterations:\n\n| a |\n|---|\n| {title} |'
           for title in (first, second)}
    for title in (second, first, second):
        claims.write_section(page, {title: old[title]})
    assert page.read_text() == (
        f'# Before\n{claims.BEGIN}{old[first]}\n\n{old[second]}\n'
        f'{claims.END}behind\n')
    new = old[first].replace('9', '8')
    claims.write_section(page, {first: new})
    assert page.read_text() == (
        f'# Before\n{claims.BEGIN}{new}\n\n{old[second]}\n'
        f'{claims.END}behind\n')


def test_results_have_the_marks():
    text = (ROOT / 'docs/results.md').read_text(encoding='utf-8')
    assert 0 < text.index(claims.BEGIN) < text.index(claims.END)


@pytest.mark.slow
@pytest.mark.parametrize('title', ['Table 6', 'Tables I and II'])
def test_a_small_run(title, tmp_path, monkeypatch, capsys):
    (tmp_path / 'results.md').write_text(claims.BEGIN + claims.END)
    monkeypatch.setattr(sys, 'argv', [
        'claims.py', '--reduced', '--only', title, '--seeds', '0',
        '--iterations', '2', '--train', '12', '--val', '2', '--snippets', '4',
        '2', '--data', str(tmp_path / 'data'), '--docs', str(tmp_path),
        '--work-dirs', str(tmp_path / 'work')])
    claims.main()
    assert 'mim train' in capsys.readouterr().out
    records = json.loads((tmp_path / 'claims.json').read_text())
    table, = (t for name, t in TABLES.items() if title in name)
    rows = [row for row in table.rows if row.name not in claims.LONG]
    assert len(records) == len(rows)
    written = (tmp_path / 'results.md').read_text()
    for row in rows:
        figure = next(r['mIoU'] for r in records if r['config'] == row.config
                      and len(r['options']) == len(row.options))
        assert 0 <= figure <= 100
        assert f'| {row.name} | 1 | ' in written
    for record in records:
        assert f'seed={record["seed"]}' in record['commands'][0]
        assert f'{record["mIoU"]:.2f}' in written
    # nothing is done again
    claims.main()
    assert '=== train ' not in capsys.readouterr().out
    assert (tmp_path / 'results.md').read_text() == written
