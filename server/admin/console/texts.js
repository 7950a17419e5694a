/* All that the console says: English, Chinese. {0}, {1}: what is put in. One section a page, by key. */
import { settings } from './settings.js';

export const texts = {
    /* ---- frame ---- */
    'frame.skip': ['Skip to the page', '跳到内容'],
    'frame.pages': ['Pages', '页面'],
    'frame.devices': ['Devices', '设备'],
    'frame.timeline': ['Timeline', '时间线'],
    'frame.refusals': ['Refusals', '拒绝'],
    'frame.verdicts': ['Verdicts', '判定'],
    'frame.suites': ['Suites', '测试套件'],
    'frame.control': ['Control', '控制'],
    'frame.clock': ['The clock that devices live by', '设备所依据的时钟'],
    'frame.frozen': ['frozen', '已冻结'],
    'frame.settings': ['Settings', '设置'],
    'frame.api': ['The API', 'API 文档'],
    'frame.keys': ['Keys', '快捷键'],
    'frame.close': ['Close', '关闭'],
    'frame.refused': ['{0} refused', '{0} 次被拒绝'],
    'frame.away': ['The server does not answer', '服务器没有响应'],
    'key.filter': ['to the filter', '转到筛选'],
    'key.next': ['next row', '下一行'],
    'key.previous': ['previous row', '上一行'],
    'key.open': ['open the row', '打开该行'],
    'key.close': ['close what is open', '关闭详情'],
    'key.page': ['to a page', '切换页面'],
    'key.pause': ['pause, go on', '暂停 / 继续'],
    'key.help': ['these keys', '显示快捷键'],
    'setting.language': ['Language', '语言'],
    'setting.language.en': ['English', 'English'],
    'setting.language.zh': ['中文', '中文'],
    'setting.times': ['Times', '时间'],
    'setting.times.local': ['local time', '本地时间'],
    'setting.times.utc': ['UTC', 'UTC'],
    'setting.times.ago': ['how long ago', '多久以前'],
    'setting.theme': ['Colours', '配色'],
    'setting.theme.system': ['as the system', '跟随系统'],
    'setting.theme.light': ['light', '浅色'],
    'setting.theme.dark': ['dark', '深色'],
    'client.away': ['The server does not answer', '服务器没有响应'],
    'token.title': ['This server wants a token', '此服务器需要令牌'],
    'token.about': ['It is the one that skymock was started with (--admin-token). It is kept until this tab closes.', '即启动 skymock 时的 --admin-token。仅保存到此标签页关闭为止。'],
    'token.wrong': ['That was not the token. It is the one that skymock was started with (--admin-token).', '令牌不正确。请输入启动 skymock 时的 --admin-token。'],
    'token.label': ['Token', '令牌'],
    'token.go': ['Go on', '继续'],
    'time.ms': ['{0} ms', '{0} 毫秒'],
    'time.s': ['{0} s', '{0} 秒'],
    'time.min': ['{0} min {1} s', '{0} 分 {1} 秒'],
    'time.h': ['{0} h {1} min', '{0} 小时 {1} 分'],
    'time.d': ['{0} d', '{0} 天'],
    'time.ago': ['{0} ago', '{0}前'],

    /* ---- what several pages say ---- */
    'verdict.passed': ['passed', '通过'],
    'verdict.warned': ['warned', '警告'],
    'verdict.failed': ['failed', '失败'],
    'verdict.not exercised': ['not exercised', '未触及'],
    'device': ['Device', '设备'],
    'device.any': ['any device', '任意设备'],
    'filter': ['Filter', '筛选'],
    'live': ['live', '实时'],
    'lost': ['connection lost, trying again', '连接已断开，正在重试'],

    /* ---- devices ---- */
    'devices.filter': ['Name contains', '名称包含'],
    'devices.online': ['only online', '仅在线'],
    'devices.list': ['Devices', '设备列表'],
    'devices.none': ['No device yet. Seed some with --fixtures, or make a temporary one on the page Control.', '还没有设备。请用 --fixtures 载入，或在“控制”页新建临时设备。'],
    'devices.act': ['last act', '最近动作'],
    'devices.never': ['never seen', '从未出现'],
    'devices.keepalive': ['{0} of {1} s', '{0} / {1} 秒'],
    'devices.on': ['online', '在线'],
    'devices.off': ['offline', '离线'],
    'devices.off.disabled': ['disabled', '已禁用'],
    'devices.stranger': ['not registered', '未注册'],

    /* ---- timeline ---- */
    'timeline.event': ['Event', '事件'],
    'timeline.text': ['Text in the event', '事件中的文本'],
    'timeline.device': ['Device', '设备'],
    'timeline.topic': ['Topic filter', '主题过滤器'],
    'timeline.rule': ['Rule', '规则'],
    'timeline.connection': ['Connection', '连接'],
    'timeline.types': ['Types: {0}', '类型：{0}'],
    'timeline.refused': ['refused', '拒绝'],
    'timeline.more': ['More filters', '更多筛选'],
    'timeline.clear': ['No filters', '清除筛选'],
    'timeline.order': ['Order', '顺序'],
    'timeline.newest': ['newest first', '最新在前'],
    'timeline.oldest': ['newest last', '最新在后'],
    'timeline.pause': ['Pause', '暂停'],
    'timeline.go': ['Go on ({0} new)', '继续（{0} 条新事件）'],
    'timeline.skipped': ['{0} events not shown: they came too fast', '{0} 条事件未显示：到达过快'],
    'timeline.between': ['Events not shown', '未显示的事件'],
    'timeline.loading': ['Loading …', '正在载入…'],
    'timeline.first': ['Nothing came before', '没有更早的事件'],
    'timeline.lost': ['{0} older events are lost: the journal had no room', '更早的 {0} 条事件已丢失：日志空间不足'],
    'timeline.full': ['No more than {0} rows: filter to see older events', '最多 {0} 行：更早的事件请用筛选'],
    'timeline.none': ['No events yet: connect a device', '还没有事件：请连接设备'],
    'timeline.nothing': ['No event passes the filters', '没有符合筛选的事件'],
    'timeline.hidden': ['The filters hide this event in the list', '该事件被筛选隐藏'],
    'timeline.gone': ['There is no event {0}: it is lost, or was never recorded', '没有事件 {0}：已丢失或从未记录'],

    /* ---- event ---- */
    'event.up': ['from the device', '设备上行'],
    'event.down': ['to the device', '下行至设备'],
    'event.inside': ['inside the server', '服务器内部'],
    'event.cause': ['caused by', '起因'],
    'event.effect': ['led to', '引起'],
    'event.answer': ['answered by', '应答'],
    'event.connect': ['connection begun by', '连接始于'],
    'event.copy': ['Copy', '复制'],
    'event.copyJson': ['Copy as JSON', '复制为 JSON'],
    'event.copied': ['Copied', '已复制'],
    'event.payload': ['Payload', '载荷'],
    'event.text': ['Text', '文本'],
    'event.bytes': ['Bytes', '字节'],
    'event.all': ['Show all ({0})', '显示全部（{0}）'],
    'event.fields': ['Fields', '字段'],

    /* ---- refusals ---- */

    /* ---- explain ---- */

    /* ---- verdicts ---- */

    /* ---- suites ---- */

    /* ---- control ---- */

    /* ---- faults ---- */

    /* ---- snippets ---- */

    /* ---- api ---- */
};

/* The text of a key in the reader's language. A key that is in no table shows itself. */
export function t(key, ...values) {
    const pair = texts[key];
    if (!pair) return key;
    return pair[settings.language === 'zh' ? 1 : 0].replace(/\{(\d)\}/g, (_, n) => values[n] ?? '');
}
