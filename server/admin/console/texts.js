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
    'timeline.list': ['Events', '事件列表'],
    'timeline.detail': ['Event', '事件'],
    'timeline.text': ['Text in the event', '事件中包含的文本'],
    'timeline.refused': ['only refused', '仅被拒绝'],
    'timeline.refusedMark': ['refused', '拒绝'],
    'timeline.order': ['Order', '顺序'],
    'timeline.newest': ['newest first', '最新在前'],
    'timeline.oldest': ['newest last', '最新在后'],
    'timeline.more': ['More filters', '更多筛选'],
    'timeline.types': ['Types', '类型'],
    'timeline.any': ['any', '任意'],
    'timeline.topic': ['Topic filter', '主题过滤器'],
    'timeline.rule': ['Rule', '规则'],
    'timeline.connection': ['Connection', '连接'],
    'timeline.clear': ['No filters', '清除筛选'],
    'timeline.pause': ['Pause', '暂停'],
    'timeline.go': ['Go on ({0} new)', '继续（{0} 条新事件）'],
    'timeline.skipped': ['{0} events not shown: they came too fast. Open to see them.', '{0} 条事件未显示：到达过快。打开即可查看。'],
    'timeline.between': ['Events between are not shown. Open to see them.', '中间的事件未显示。打开即可查看。'],
    'timeline.loading': ['Older events are on their way …', '正在载入更早的事件…'],
    'timeline.first': ['Nothing came before.', '没有更早的事件。'],
    'timeline.lost': ['{0} older events are lost: the journal had no room for them.', '更早的 {0} 条事件已丢失：日志空间不足。'],
    'timeline.full': ['Only {0} rows are kept here; a filter finds older events.', '此处仅保留 {0} 行；请用筛选查找更早的事件。'],
    'timeline.none': ['No events yet. They come as soon as a device connects.', '还没有事件。设备一连接即会出现。'],
    'timeline.nothing': ['No event passes the filters.', '没有符合筛选条件的事件。'],
    'timeline.hidden': ['The filters hide this event in the list.', '该事件被筛选条件隐藏，不在列表中。'],
    'timeline.gone': ['Event {0} is not there: it is lost, or was never recorded.', '事件 {0} 不存在：已丢失或从未记录。'],

    /* ---- event ---- */
    'event.up': ['from the device', '设备上行'],
    'event.down': ['to the device', '下行至设备'],
    'event.inside': ['inside the server', '服务器内部'],
    'event.links': ['What belongs to it', '相关事件'],
    'event.cause': ['caused by', '起因'],
    'event.effect': ['led to', '引起'],
    'event.answers': ['answers', '应答'],
    'event.answered': ['answered by', '被应答'],
    'event.connect': ['of the connection begun by', '所属连接始于'],
    'event.more': ['and {0} more', '另有 {0} 条'],
    'event.copy': ['Copy as JSON', '复制为 JSON'],
    'event.copy.payload': ['Copy payload', '复制载荷'],
    'event.copied': ['Copied', '已复制'],
    'event.payload': ['Payload', '载荷'],
    'event.json': ['JSON', 'JSON'],
    'event.text': ['Text', '文本'],
    'event.bytes': ['Bytes', '字节'],
    'event.all': ['Show all ({0})', '显示全部（{0}）'],
    'event.fields': ['Fields', '字段'],
    'event.detail': ['What happened', '详情'],
    'event.hint': ['Hint', '建议'],
    'event.source': ['Source', '出处'],
    'event.action': ['Action', '处理'],

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
