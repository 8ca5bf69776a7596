element.addEventListener('click', event => {
    const map = event.target.closest('svg');
    if (!map) return;
    const box = map.getBoundingClientRect();
    trigger('select', {x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height});
});
