# LMANet's augmentation: nothing but flip and shift.
flip_and_shift = dict(
    resize=dict(type='Resize', scale=(1024, 512), backend='pillow'),
    flip=dict(type='RandomFlip', prob=0.5),
    shift=dict(type='RandomShift', max_shift=2))
# its class weights are looked up by label; see models/erfnet.py
relabel = dict(type='RelabelPixels', old=255, new=19)
