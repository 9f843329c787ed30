# CamVid as most papers report it: trained on train and val together (468
# images), validated and tested on test (233).
_base_ = './camvid_720x960.py'

train_dataloader = dict(
    dataset=dict(
        ann_file='trainval.txt',
        data_prefix=dict(img_path='images', seg_map_path='labels')))
val_dataloader = dict(
    dataset=dict(
        data_prefix=dict(img_path='images/test', seg_map_path='labels/test')))
