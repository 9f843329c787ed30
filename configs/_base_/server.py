# Results for the test server of Cityscapes: one image of label ids per test
# image, in output_dir (needs cityscapesscripts).
server = dict(
    data=dict(
        img_path='leftImg8bit/test', seg_map_path='gtFine/test'),
    evaluator=dict(
        type='CityscapesMetric',
        format_only=True,
        keep_results=True,
        output_dir='work_dirs/cityscapes_server'))
