const place = event => {
    const map = event.target.closest('svg');
    if (!map) return null;
    const box = map.getBoundingClientRect();
    return {x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height};
};
element.addEventListener('click', event => { const at = place(event); if (at) trigger('select', at); });
let seen = 0;  // when the pointer last asked for the picture below it
element.addEventListener('pointermove', event => {
    const at = event.pointerType === 'mouse' && event.timeStamp > seen + 80 && place(event);
    if (at) { seen = event.timeStamp; trigger('input', at); }
});
