// A click on a picture of the strip moves the slider that leads to the second picture.
element.addEventListener('click', event => {
    const button = event.target.closest('button[data-way]'), slider = document.querySelector('#knobs [data-name=way]');
    if (!button || !slider) return;
    slider.value = button.dataset.way;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
});
const moved = () => {};
