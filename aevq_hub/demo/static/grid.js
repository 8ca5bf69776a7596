element.addEventListener('click', event => {
    const frame = event.target.closest('[data-cells]');
    if (!frame) return;
    const box = frame.getBoundingClientRect(), count = Number(frame.dataset.cells);
    const cell = share => Math.min(count, 1 + Math.floor(share * count));
    trigger('select', {row: cell((event.clientY - box.top) / box.height),
                       column: cell((event.clientX - box.left) / box.width)});
});
